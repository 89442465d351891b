import {hideSecrets} from '../hide-secrets.ts'

const MAX_LENGTH = 200

/** A line that says what went wrong, among others that only tell where. */
const telling =
  /error|exception|fatal|panic|fail|cannot|can't|unable|denied|refused|invalid|missing|not found|timed? ?out/i

/**
 * The line of a container's termination message that says most about why it ended: the last that speaks of an error, or the last.
 * A container writes it there, or has its last log lines put there (`terminationMessagePolicy: FallbackToLogsOnError`), for others
 * to read; what looks like a secret is taken out all the same, as it may be shown to more people than can read its pod.
 */
export function lastWords(message: string): string {
  const lines = hideSecrets(message)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  const line = lines.findLast((candidate) => telling.test(candidate)) ?? lines.at(-1) ?? ''
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH)}…` : line
}
