import {type ObjectRef, refKey} from '../model/object-ref.ts'
import type {SyncPhase} from './read-hook.ts'

/** One object that an app applied, or is about to. */
export interface InventoryEntry {
  ref: ObjectRef
  /** The apiVersion it was last applied with, such as `apps/v1`: how to address it for a deletion. */
  version: string
  /** 16 to 64 hex characters of the digest of the manifest that was applied; '' where that isn't certain (not yet applied, or an apply was begun and its end never noted). */
  applied: string
  /** `fingerprintFields` after that apply; '' where unknown. */
  fields: string
  /** The object's uid, where known: the same name with another uid is somebody else's object. */
  uid?: string
  /** It came to its end as it was applied, and goes by a rule of its own: absent, it is as desired. */
  ended?: 'Succeeded' | 'Failed'
  /** How a hook went; absent for an ordinary object. */
  hook?: HookRecord
}

/** In which phases a hook was through, for which bundle: so that it runs once, whatever is stopped in between. */
export interface HookRecord {
  /** 16 hex characters of the bundle's digest. */
  bundle: string
  results: Partial<Record<SyncPhase, 'Succeeded' | 'Failed'>>
  /** Why it failed, in words. */
  reason?: string
  /** The object's uid of a run that an earlier sync of the same bundle left, and that is not the one to wait for. */
  formerUid?: string
}

/**
 * Joins two inventories: whatever is in either is in the result, once, sorted by ref. Where both hold an object and agree on `applied`, its facts stay
 * (those that one of them lacks are taken from the other); where they don't, `applied` and `fields` become '': it must be applied again before it can count as unchanged.
 * A stop between the writes of two chunks leaves an object in both, as it was and as it was to be: so it is read.
 * The order of the two matters only where both know a different `version`: the second's is taken.
 */
export function inventoryUnion(inventory: InventoryEntry[], added: InventoryEntry[]): InventoryEntry[] {
  const joined = new Map<string, InventoryEntry>()
  for (const entry of [...inventory, ...added]) {
    const key = refKey(entry.ref)
    const present = joined.get(key)
    joined.set(key, present === undefined ? entry : joinEntries(present, entry))
  }
  return [...joined].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, entry]) => entry)
}

function joinEntries(a: InventoryEntry, b: InventoryEntry): InventoryEntry {
  const agreed = a.applied === b.applied
  const fields = a.fields === b.fields || b.fields === '' ? a.fields : a.fields === '' ? b.fields : ''
  const uid = a.uid === b.uid || b.uid === undefined ? a.uid : a.uid === undefined ? b.uid : undefined
  return {
    ref: a.ref,
    version: b.version,
    applied: agreed ? a.applied : '',
    fields: agreed ? fields : '',
    ...(uid === undefined ? {} : {uid}),
    ...(agreed && a.ended === b.ended && a.ended !== undefined ? {ended: a.ended} : {}),
    ...(b.hook === undefined ? {} : {hook: b.hook}),
  }
}
