import {DrawbridgeError} from '#shared/model/drawbridge-error.ts'

/** What was given does not make an installation. */
export class InstallError extends DrawbridgeError<'INVALID'> {}
