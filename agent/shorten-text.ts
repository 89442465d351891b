const MAX_LENGTH = 4_000

/** Cuts a message of the API server's or a controller's that would make a report too large to be read; says that it did. */
export function shortenText(text: string): string {
  return text.length <= MAX_LENGTH
    ? text
    : `${text.slice(0, MAX_LENGTH)}… (${text.length - MAX_LENGTH} more characters)`
}
