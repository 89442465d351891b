import type {YamlDocument} from './read-yaml.ts'

/** What was read from a document's text: `line` counts from its first one. Undefined where it is empty. */
export type ReadDocument = YamlDocument | undefined

/** Documents that were read before, by their text: of a repository in which one file changed the others are not parsed again. */
export interface DocumentMemory {
  /** What `read` makes of `text`, which is the same each time; values are frozen. What it throws is not remembered. */
  recall(text: string, read: () => ReadDocument): ReadDocument
}

const MAX_CHARACTERS = 16 * 1024 * 1024

/** Creates a memory of at most `maxCharacters` of text; what was used least lately is forgotten first. */
export function createDocumentMemory(maxCharacters = MAX_CHARACTERS): DocumentMemory {
  const documents = new Map<string, {document: ReadDocument}>()
  let characters = 0
  return {
    recall(text, read) {
      const known = documents.get(text)
      if (known !== undefined) {
        documents.delete(text)
        documents.set(text, known)
        return known.document
      }
      const document = read()
      freeze(document?.value)
      documents.set(text, {document})
      characters += text.length
      for (const [oldest] of documents) {
        if (characters <= maxCharacters) break
        documents.delete(oldest)
        characters -= oldest.length
      }
      return document
    },
  }
}

/** Its nesting is bounded by the parser's own. */
function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return
  Object.freeze(value)
  for (const child of Object.values(value)) freeze(child)
}

/**
 * Splits a YAML stream into the texts of its documents, each with the line it begins at. A line that begins with `---` is a marker wherever it
 * stands (YAML 1.2.2, 9.1.2: forbidden within content, block scalars included). Undefined where the text has directives, ends of
 * documents or a byte order mark, which reach beyond one document.
 */
export function splitDocuments(text: string): {text: string; line: number}[] | undefined {
  if (/^(%|\.\.\.(\s|$))|\uFEFF/m.test(text)) return undefined
  const parts: {text: string; line: number}[] = []
  let begin = 0
  let line = 1
  const cut = (end: number): void => {
    const part = text.slice(begin, end)
    if (part === '') return
    parts.push({text: part, line})
    line += part.split('\n').length - 1
    begin = end
  }
  for (const {index} of text.matchAll(/^---(?=[ \t\r\n]|$)/gm)) cut(index)
  cut(text.length)
  return parts
}
