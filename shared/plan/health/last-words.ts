const MAX_LENGTH = 200
const HIDDEN = '[hidden]'

/** A line that says what went wrong, among others that only tell where. */
const telling =
  /error|exception|fatal|panic|fail|cannot|can't|unable|denied|refused|invalid|missing|not found|timed? ?out/i
const secretKey =
  '[\\w.-]*(?:pass(?:word|wd|phrase)?|secret|token|credentials?|api[-_]?key|private[-_]?key|access[-_]?key)'
const patterns: readonly [RegExp, string][] = [
  // password=… token: "…"
  [new RegExp(`(["']?${secretKey}["']?\\s*[:=]\\s*)("[^"]*"?|'[^']*'?|\\S+)`, 'gi'), `$1${HIDDEN}`],
  // scheme://user:password@host
  [/([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, `$1${HIDDEN}@`],
  [/\b(bearer|basic)\s+\S+/gi, `$1 ${HIDDEN}`],
  // What looks drawn at random: long hexadecimals, and long words of capitals, small letters and digits.
  [/\b[0-9a-f]{32,}\b/gi, HIDDEN],
  [/(?=[\w+=-]*\d)(?=[\w+=-]*[a-z])(?=[\w+=-]*[A-Z])[\w+=-]{24,}/g, HIDDEN],
]

/**
 * The line of a container's termination message that says most about why it ended: the last that speaks of an error, or the last.
 * A container writes it there, or has its last log lines put there (`terminationMessagePolicy: FallbackToLogsOnError`), for others
 * to read; what looks like a secret is taken out all the same, as it may be shown to more people than can read its pod.
 */
export function lastWords(message: string): string {
  const lines = message
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  const line = lines.findLast((candidate) => telling.test(candidate)) ?? lines.at(-1) ?? ''
  const shown = patterns.reduce(
    (text, [pattern, replacement]) => text.replace(pattern, replacement),
    line.slice(0, 2_000),
  )
  return shown.length > MAX_LENGTH ? `${shown.slice(0, MAX_LENGTH)}…` : shown
}
