/**
 * Writes a JSON value as YAML that kubectl and every other reader of YAML 1.1 and 1.2 read back as it was. Text that could be taken
 * for something else stands in quotes. Lone surrogates, which no YAML can hold, become U+FFFD.
 */
export function formatYaml(value: unknown): string {
  if (isFilled(value)) return block(value, 0)
  return `${scalar(value, 0)}\n`
}

type Filled = readonly unknown[] | Readonly<Record<string, unknown>>

function block(value: Filled, depth: number): string {
  const indentation = ' '.repeat(depth)
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value
    return items
      .map(
        (item) => `${indentation}- ${isFilled(item) ? block(item, depth + 2).trimStart() : `${scalar(item, depth)}\n`}`,
      )
      .join('')
  }
  return Object.entries(value)
    .filter(([, child]) => child !== undefined)
    .map(([key, child]) => {
      const rest = isFilled(child) ? `\n${block(child, depth + 2)}` : ` ${scalar(child, depth)}\n`
      return `${indentation}${formatKey(key, indentation)}:${rest}`
    })
    .join('')
}

/** A map or list with something in it. */
function isFilled(value: unknown): value is Filled {
  return typeof value === 'object' && value !== null && Object.values(value).some((child) => child !== undefined)
}

/** Readers take a key for one only where its colon comes soon. */
const maxSimpleKeyLength = 120

function formatKey(key: string, indentation: string): string {
  const written = isPlain(key) ? key : quote(key)
  return written.length <= maxSimpleKeyLength ? written : `? ${written}\n${indentation}`
}

function scalar(value: unknown, depth: number): string {
  if (typeof value === 'string') {
    if (isPlain(value)) return value
    return isLiteral(value) ? literal(value, ' '.repeat(depth + 2)) : quote(value)
  }
  if (typeof value === 'bigint') return value.toString()
  return JSON.stringify(value) ?? 'null'
}

const plain = /^[A-Za-z/](?:[\w./@+()-]|:(?=[\w/])| (?=[\w./@+()-]))*$/
/** YAML 1.1's booleans and nulls. */
const words = /^(y|yes|n|no|on|off|true|false|null)$/i

function isPlain(text: string): boolean {
  return text.length < 1024 && plain.test(text) && !words.test(text)
}

/** Letters that some reader takes for a line's end, drops, or refuses. */
const unseen = /[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/

function isLiteral(text: string): boolean {
  return /^\S/.test(text) && text.includes('\n') && !text.includes('\n\t') && !unseen.test(text) && text.isWellFormed()
}

function literal(text: string, indentation: string): string {
  const end = text.endsWith('\n\n') ? '+' : text.endsWith('\n') ? '' : '-'
  const lines = text.replace(/\n$/, '').split('\n')
  return `|${end}\n${lines.map((line) => (line === '' ? '' : indentation + line)).join('\n')}`
}

function quote(text: string): string {
  return JSON.stringify(text.toWellFormed()).replace(
    new RegExp(unseen, 'g'),
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
