/**
 * The one base of all errors that Drawbridge raises on purpose. A subclass closes `Code` to a union of its own.
 * `message` is fit to be shown to a user: what, where and why; it never holds a Secret value or a credential.
 * `details` are plain values for structured logs, under the same rule.
 */
export abstract class DrawbridgeError<Code extends string> extends Error {
  readonly code: Code
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: Code, message: string, details: Readonly<Record<string, unknown>> = {}, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.details = details
    this.name = new.target.name
  }
}

/** Tells what was thrown in one line, without its stack; `unknown` because anything can be thrown. */
export function describeError(error: unknown): string {
  if (error instanceof Error) {
    const cause = error.cause instanceof Error ? describeError(error.cause) : ''
    // Some say their cause themselves.
    return cause === '' || error.message.includes(cause) ? error.message : `${error.message}: ${cause}`
  }
  return String(error)
}
