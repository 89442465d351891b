import {DrawbridgeError} from '#shared/model/drawbridge-error.ts'

/** Why nothing could be published now; a later try can succeed. */
export class PublishError extends DrawbridgeError<'CONTENTION'> {}
