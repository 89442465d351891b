import {DrawbridgeError} from '../model/drawbridge-error.ts'

/** Why a signed document was not believed: the name tells the fault or the attack. */
export class VerificationError extends DrawbridgeError<
  | 'MALFORMED'
  | 'TOO_LARGE'
  | 'SIGNATURE_INVALID'
  | 'THRESHOLD_NOT_MET'
  | 'WRONG_PAYLOAD_TYPE'
  | 'WRONG_CLUSTER'
  | 'WRONG_APP'
  | 'WRONG_BUNDLE'
  | 'ROLLBACK'
  | 'EQUIVOCATION'
  | 'EXPIRED'
  | 'UNSUPPORTED_PROOF'
> {}
