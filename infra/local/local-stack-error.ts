/** Why a part of the local stack could not be had; `PORT_TAKEN` alone may succeed when tried again. */
export type LocalStackErrorCode =
  | 'NO_CONTROL_PLANE'
  | 'NO_RENDERERS'
  | 'BUILD_FAILED'
  | 'BAD_INPUT'
  | 'IN_USE'
  | 'PORT_TAKEN'
  | 'PROCESS_DIED'
  | 'NOT_READY'
  | 'REQUEST_REFUSED'
  | 'INTERRUPTED'

/** Says what part of the local stack failed, where to look, and what to do; never carries a credential. */
export class LocalStackError extends Error {
  override readonly name = 'LocalStackError'
  readonly code: LocalStackErrorCode

  constructor(code: LocalStackErrorCode, message: string, options?: {cause?: unknown}) {
    super(message, options)
    this.code = code
  }
}
