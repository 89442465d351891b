import {DrawbridgeError} from '../model/drawbridge-error.ts'

/** Why the queue did not do it. Only `UNAVAILABLE` is worth a retry. */
export class QueueError extends DrawbridgeError<'UNAVAILABLE' | 'ACCESS_DENIED' | 'TOO_LARGE'> {}
