import {escapeToLine} from '#shared/journal/escape-controls.ts'
import {isJsonObject} from '#shared/model/manifest.ts'

/** A line of an agent's log for people: `agent dev: warn: the message`. What is no JSON with a message stays as it is. */
export function formatLogLine(line: string): string {
  const [, head = '', json = ''] = /^(agent \S+: )(\{.*\})$/.exec(line) ?? []
  let entry: unknown
  try {
    entry = JSON.parse(json)
  } catch {
    return line
  }
  if (!isJsonObject(entry) || typeof entry.message !== 'string') return line
  const level = typeof entry.level === 'string' && entry.level !== 'info' ? `${entry.level}: ` : ''
  return `${head}${level}${escapeToLine(entry.message)}`
}
