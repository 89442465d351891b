// What is found in a renderer's words. All of it goes once over texts that were cut before.

/** A YAML reader's complaint, and the line that it tells. */
export interface YamlWords {
  reason: string
  line: number | undefined
}

/** The text between two marks; undefined where one of them is missing. */
export function between(text: string, before: string, after: string): string | undefined {
  const start = text.indexOf(before)
  if (start < 0) return undefined
  const end = text.indexOf(after, start + before.length)
  return end < 0 ? undefined : text.slice(start + before.length, end)
}

/** The same of the last place where the first mark is. */
export function lastBetween(text: string, before: string, after: string): string | undefined {
  const start = text.lastIndexOf(before)
  return start < 0 ? undefined : between(text.slice(start), before, after)
}

/** The text after the last place of a mark; the whole one where it is missing. */
export function afterLast(text: string, mark: string): string {
  const at = text.lastIndexOf(mark)
  return at < 0 ? text : text.slice(at + mark.length)
}

/** Several lines as one. */
export function oneLine(text: string): string {
  const lines = text.split('\n').map((line) => line.trim())
  return lines.filter((line) => line !== '').join(' ')
}

/** What Go's YAML reader says after `yaml: `, with the line; undefined where it says nothing. */
export function yamlWords(words: string): YamlWords | undefined {
  const at = words.lastIndexOf('yaml: ')
  if (at < 0) return undefined
  const rest = words.slice(at + 'yaml: '.length)
  const line = /^line (\d{1,7}): /.exec(rest)
  return {reason: line === null ? rest : rest.slice(line[0].length), line: line === null ? undefined : Number(line[1])}
}
