import {Document, isNode} from 'yaml'
import type {InstallObject} from './install-object.ts'

/** Writes the objects of an installation as a YAML stream, each with the reasons for it and for its rules as comments. */
export function formatInstall(objects: readonly InstallObject[]): string {
  return objects.map((object) => `---\n${formatObject(object)}`).join('')
}

function formatObject({object, why, ruleReasons = []}: InstallObject): string {
  // kubectl reads YAML 1.1, in which more words are booleans.
  const document = new Document(object, {aliasDuplicateObjects: false, compat: 'yaml-1.1'})
  for (const [index, reason] of ruleReasons.entries()) {
    const rule = document.getIn(['rules', index], true)
    if (isNode(rule)) rule.commentBefore = ` ${reason}`
  }
  const heading = why === undefined ? '' : why.replaceAll(/^/gm, '# ')
  return `${heading === '' ? '' : `${heading}\n`}${document.toString({lineWidth: 0})}`
}
