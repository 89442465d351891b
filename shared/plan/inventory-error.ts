import {DrawbridgeError} from '../model/drawbridge-error.ts'

/** Why an inventory can't be read or written. No retry with the same bytes can succeed. */
export class InventoryError extends DrawbridgeError<
  'MALFORMED' | 'UNSUPPORTED_VERSION' | 'MISSING_CHUNK' | 'TOO_LARGE'
> {}
