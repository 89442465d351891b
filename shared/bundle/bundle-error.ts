import {DrawbridgeError} from '../model/drawbridge-error.ts'

export type BundleErrorCode = 'DIGEST_MISMATCH' | 'SIZE_MISMATCH' | 'TOO_LARGE' | 'MALFORMED' | 'DUPLICATE_OBJECT'

/** Why bytes are not the bundle that was asked for. None of these can succeed by a retry with the same bytes. */
export class BundleError extends DrawbridgeError<BundleErrorCode> {}
