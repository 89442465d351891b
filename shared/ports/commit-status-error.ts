import {DrawbridgeError} from '../model/drawbridge-error.ts'

/** Why a commit status was not set. `UNAVAILABLE` and `RATE_LIMITED` are worth a later try; `REFUSED` is the host's last word. */
export class CommitStatusError extends DrawbridgeError<'UNAVAILABLE' | 'RATE_LIMITED' | 'REFUSED'> {}
