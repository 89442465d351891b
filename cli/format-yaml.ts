import {type ScalarTag, stringify, type Tags} from 'yaml'
import {stringifyString} from 'yaml/util'

const TEXT_TAG = 'tag:yaml.org,2002:str'

/**
 * What some reader of YAML 1.1 or 1.2 could take for something else than a text: whatever begins as a number or a date may, and a few words.
 * Quotes around more than need them do no harm.
 */
const ambiguous = /^([-+.\d~=<]|(y|n|yes|no|on|off|true|false|null|nan|inf)$)/i

/**
 * What YAML 1.1 breaks a line at or does not take at all, and a first line that begins with a space: only an escape brings it through. And what
 * turns the direction of a text, which a terminal would act on.
 */
const escaped =
  /[^\n\x20-\x7e\xa0-\u061b\u061d-\u200d\u2010-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]|^\s|\s$/u

const replaced = new Set([TEXT_TAG, 'tag:yaml.org,2002:merge'])
const textTag: ScalarTag = {
  identify: (value) => typeof value === 'string',
  default: true,
  tag: TEXT_TAG,
  resolve: (text) => text,
  stringify(item, context, onComment, onChompKeep) {
    const text = String(item.value)
    const isBlock = text.includes('\n') && context.implicitKey !== true
    const body = isBlock ? text.replace(/\n$/, '') : text
    if (text === '' || escaped.test(body) || (!isBlock && ambiguous.test(text))) return quote(text)
    return stringifyString({value: text}, {...context, actualString: true}, onComment, onChompKeep)
  },
}

/**
 * Writes a value as YAML that kubectl, and every other reader of YAML 1.1 or 1.2, reads back as it was: texts as texts, whole numbers of any
 * size with all their digits.
 */
export function formatYaml(value: unknown): string {
  return stringify(value, {version: '1.1', customTags, lineWidth: 0, aliasDuplicateObjects: false})
}

/** The tag for merges would take the key `<<` for its own. */
function customTags(tags: Tags): Tags {
  const others = tags.filter((tag) => (typeof tag === 'string' ? tag !== 'merge' : !replaced.has(tag.tag)))
  return [textTag, ...others]
}

function quote(text: string): string {
  return JSON.stringify(text).replace(
    /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
