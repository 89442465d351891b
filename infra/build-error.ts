import {DrawbridgeError} from '#shared/model/drawbridge-error.ts'

/** Why a build failed: an entry file is not there, esbuild refuses a source and says where, or a function is too large for Lambda. */
export class BuildError extends DrawbridgeError<'ENTRY_ABSENT' | 'BUNDLING_FAILED' | 'TOO_LARGE'> {}
