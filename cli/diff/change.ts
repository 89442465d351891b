import type {FieldChange} from '#shared/model/field-change.ts'
import type {ObjectRef} from '#shared/model/object-ref.ts'

/**
 * What an apply would do with one object. `recreate`: deleted and made anew, as its annotation asks for where a field cannot be
 * changed; `hook`: it runs with a bundle that is new, and is not kept; `keep`: no longer declared, and left all the same; `refused`: the API server or
 * Drawbridge would not do it.
 */
export interface ObjectChange {
  action: 'create' | 'update' | 'recreate' | 'hook' | 'unchanged' | 'prune' | 'keep' | 'refused'
  ref: ObjectRef
  /** Argo CD's phase and wave, where it is not a prune. */
  phase?: string
  wave?: number
  /** The place of its stage in the order of the apply, from 1; prunes come after all of them, in their own order. */
  stage: number
  fields: FieldChange[]
  reason?: string
}

/** What an apply would do with one app, in the order in which it would. */
export interface AppChanges {
  app: string
  changes: ObjectChange[]
}
