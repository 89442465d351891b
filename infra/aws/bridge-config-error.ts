import {DrawbridgeError} from '#shared/model/drawbridge-error.ts'

/** Why a deployment's configuration or build can't be used. A retry does not help before it is mended. */
export class BridgeConfigError extends DrawbridgeError<'ABSENT' | 'UNREADABLE' | 'INVALID' | 'NOT_BUILT'> {}
