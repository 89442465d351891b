import {DrawbridgeError} from '../model/drawbridge-error.ts'

/** Why the object store did not do it. Only `UNAVAILABLE` is worth a retry. */
export class ObjectStoreError extends DrawbridgeError<'UNAVAILABLE' | 'ACCESS_DENIED' | 'TOO_LARGE'> {}
