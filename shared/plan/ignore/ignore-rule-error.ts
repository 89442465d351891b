import {DrawbridgeError} from '../../model/drawbridge-error.ts'

/** A rule of `ignoreDifferences` that cannot be read: `BAD_PATH`. Never worth a retry. */
export class IgnoreRuleError extends DrawbridgeError<'BAD_PATH'> {}
