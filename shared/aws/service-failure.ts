/** What an AWS SDK error says of itself, read without trusting its type. */
export interface ServiceFailure {
  /** The service's error code, or the error's name where there was no answer. */
  name: string
  /** The HTTP status; undefined where there was no answer. */
  status: number | undefined
  /** How many requests were made; more than one means that an earlier one may have taken effect. */
  attempts: number
}

/** Reads the parts of an SDK error that decide what it means to us; anything may be thrown, so anything is taken. */
export function readServiceFailure(error: unknown): ServiceFailure {
  const record = isRecord(error) ? error : {}
  const metadata = isRecord(record.$metadata) ? record.$metadata : {}
  return {
    name: typeof record.name === 'string' ? record.name : 'Error',
    status: typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined,
    attempts: typeof metadata.attempts === 'number' ? metadata.attempts : 1,
  }
}

/** Tells whether the service refused the caller: nothing that a retry can cure. */
export function isDenied({name, status}: ServiceFailure): boolean {
  return status === 401 || status === 403 || name === 'AccessDenied' || name === 'AccessDeniedException'
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
