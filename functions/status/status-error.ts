import {DrawbridgeError} from '#shared/model/drawbridge-error.ts'

/** Why a status could not be kept now; a later try can succeed. */
export class StatusError extends DrawbridgeError<'CONTENTION'> {}
