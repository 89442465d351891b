import {DrawbridgeError} from '#shared/model/drawbridge-error.ts'
import type {Finding} from '#shared/model/outcome.ts'
import type {PolicyRefusal} from '#shared/model/tracked-repository.ts'

export type RenderErrorCode =
  | 'PATH_NOT_FOUND'
  | 'PATH_LEAVES_REPOSITORY'
  | 'SYMLINK_LOOP'
  | 'SUBMODULE'
  | 'FILE_TOO_LARGE'
  | 'INPUT_TOO_LARGE'
  | 'YAML_INVALID'
  | 'REMOTE_BASE'
  | 'PLUGIN_REFUSED'
  | 'UNDEFINED_VARIABLE'
  | 'RENDER_FAILED'
  | 'RENDER_TIMEOUT'
  | 'RENDER_OUTPUT_TOO_LARGE'
  | 'OBJECT_INVALID'
  | 'OBJECT_TOO_LARGE'
  | 'DUPLICATE_OBJECT'
  | 'PLAINTEXT_SECRET'
  | 'RENDER_OUT_OF_MEMORY'
  | 'LFS_POINTER'
  | 'OTHER_RENDERER'
  | 'NOT_REPRODUCIBLE'
  | 'SOURCE_UNREADABLE'
  | 'NAME_TAKEN'
  | 'EMPTY_RENDER'
  | PolicyRefusal['code']

/** Where something is, from the root of the repository. */
export interface Place {
  file?: string | undefined
  line?: number | undefined
}

/** What is wrong with an app's sources, for their author: never worth a retry with the same commit. */
export class RenderError extends DrawbridgeError<RenderErrorCode> {
  readonly place: Place

  constructor(code: RenderErrorCode, message: string, place: Place = {}, options?: ErrorOptions) {
    super(code, message, {...place}, options)
    this.place = place
  }
}

const maxMessageLength = 4096

/** Writes an error as a finding about an app in a cluster. */
export function toFinding(error: RenderError, about: {app?: string; cluster?: string}): Finding {
  const {code, message, place} = error
  return describe({code, message, ...place}, about)
}

/** Writes a warning of a render as one about an app in a cluster. */
export function toWarning({code, message, file, line}: Warning, about: {app: string; cluster: string}): Finding {
  return describe({code, message, file, line}, about)
}

/** What does not keep a render from being used: of whichever app and cluster. */
export interface Warning extends Place {
  code: string
  message: string
}

function describe({code, message, file, line}: Warning, about: {app?: string; cluster?: string}): Finding {
  return {
    code,
    message: message.length > maxMessageLength ? `${message.slice(0, maxMessageLength)}…` : message,
    ...about,
    ...(file === undefined ? {} : {file}),
    ...(line === undefined ? {} : {line}),
  }
}
