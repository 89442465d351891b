import {DrawbridgeError} from '../model/drawbridge-error.ts'

/** Why a repository could not be read. `UNAVAILABLE` and `COMMIT_GONE` (the ref moved on) are worth a retry. */
export class SourceError extends DrawbridgeError<
  | 'UNAVAILABLE'
  | 'ACCESS_DENIED'
  | 'NOT_FOUND'
  | 'COMMIT_GONE'
  | 'FILE_TOO_LARGE'
  | 'REPOSITORY_TOO_LARGE'
  | 'REPOSITORY_DAMAGED'
  | 'PATH_LEAVES_REPOSITORY'
  | 'UNSUPPORTED_URL'
  | 'ADDRESS_NOT_ALLOWED'
> {}
