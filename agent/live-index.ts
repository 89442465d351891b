import {createBoundedMap} from '#shared/memory/bounded-map.ts'
import type {Health} from '#shared/model/cluster-report.ts'
import {type ObjectRef, refKey} from '#shared/model/object-ref.ts'
import type {HealthRules} from '#shared/plan/health-rules/health-rule.ts'
import type {Clock} from '#shared/ports/clock.ts'
import {detailOf, type Judging, judgeLive} from './judge-live.ts'
import {followType} from './kube/follow-type.ts'
import type {Detail, KubeClient, ResourceType} from './kube/kube-client.ts'
import {isKubeError, type KubeError} from './kube/kube-error.ts'
import {annotationsOf, isLaterVersion, type KubeObject, labelOf, metaText} from './kube/kube-object.ts'
import {APP_LABEL, FIELD_MANAGER} from './marks.ts'
import {type RunEnd, readEnd} from './read-end.ts'
import {readFields} from './read-fields.ts'

/** The little that is kept of each object that carries the owner mark and concerns an app. */
export interface LiveObject {
  ref: ObjectRef
  /** The app that its label names; '' where it has none. */
  app: string
  uid: string
  resourceVersion: string
  generation: number
  /** Fingerprint of the fields that we own, as `readFields` makes it. */
  fields: string
  /** When our fields were last written (RFC 3339, whole seconds); '' where unknown. */
  appliedAt: string
  terminating: boolean
  health: Health
  healthReason: string
  /** Only its metadata was seen since our own write: its status is still to come. */
  healthPending: boolean
  /** Annotations that say what may be done to it; undefined where there are none. */
  keep?: Record<string, string>
}

/** What an object's health is judged to be. */
export type SeenHealth = Pick<LiveObject, 'health' | 'healthReason'>

const MAX_ENDS = 1_000

export type LiveChange = 'changed' | 'gone'

/**
 * Knows, of every object with the owner mark that is wanted, of the followed types, what drift, ownership, pruning and health are judged by. Anybody
 * may label an object: what no app applied or declares is not kept.
 */
export interface LiveIndex {
  /**
   * Begins to follow a type; resolves when its objects are known. Idempotent. A kind is followed once, in the version that it was first asked
   * for in, until the server stops to serve that: then in another that was asked for.
   */
  follow(type: ResourceType): Promise<void>
  get(key: string): LiveObject | undefined
  /** How the object with this uid came to its end, where it was seen to; known also when it is gone, of the last thousand. */
  endOf(uid: string): RunEnd | undefined
  /** Judges the health of an object anew, since the rules changed. */
  rejudge(type: ResourceType, object: KubeObject): void
  /** Takes in what the server answered to a write of ours, unless something later is known, and returns what it says. */
  note(type: ResourceType, object: KubeObject): LiveObject
  all(): Iterable<[string, LiveObject]>
  /** Stops to follow the types that are not wanted any more, and forgets their objects. `group/kind` names a type. */
  keepOnly(wanted: ReadonlySet<string>): void
}

export interface LiveIndexOptions {
  kube: Pick<KubeClient, 'list' | 'watch' | 'get'>
  signal: AbortSignal
  /** An app's own rules of health, on top of the well-known ones. */
  rulesOf?: (app: string) => HealthRules | undefined
  clock: Clock
  /** Whether an app applied or declares an object. What was wanted once is known until it is gone. */
  isWanted: (key: string) => boolean
  onChange: (key: string, ref: ObjectRef, change: LiveChange) => void
  onTrouble: (type: ResourceType, error: KubeError) => void
}

/** Creates the index; nothing is followed yet. Everything ends with `signal`. */
export function createLiveIndex(options: LiveIndexOptions): LiveIndex {
  const {kube, signal, rulesOf, clock, isWanted, onChange, onTrouble} = options
  const objects = new Map<string, LiveObject>()
  const keysByType = new Map<string, Set<string>>()
  /** Types of which something was seen that nobody wanted then. */
  const passedOver = new Set<string>()
  const followed = new Map<
    string,
    {ready: Promise<void>; stop: AbortController; versions: [ResourceType, ...ResourceType[]]}
  >()

  const ends = createBoundedMap<string, RunEnd>(MAX_ENDS)
  const noteEnd = (type: ResourceType, object: KubeObject): void => {
    const end = readEnd(type, object, clock.now())
    if (end !== undefined) ends.set(object.metadata.uid, end)
  }

  const judging: Judging = {
    rulesOf: (app) => rulesOf?.(app),
    now: () => clock.now(),
    again(type, object, until) {
      const timer = setTimeout(
        () => {
          const {resourceVersion} = object.metadata
          const same = objects.get(refKey(refOfLive(type, object)))?.resourceVersion === resourceVersion
          if (same && !signal.aborted) rejudge(type, object)
        },
        Math.max(0, until.getTime() - clock.now().getTime()),
      )
      timer.unref()
    },
  }

  function rejudge(type: ResourceType, object: KubeObject): void {
    const ref = refOfLive(type, object)
    const known = objects.get(refKey(ref))
    if (known === undefined || isLaterVersion(known.resourceVersion, object.metadata.resourceVersion)) return
    objects.set(refKey(ref), readLive(type, ref, object, 'whole', known, judging))
    onChange(refKey(ref), known.ref, 'changed')
  }

  function take(type: ResourceType, object: KubeObject, detail: Detail): string | undefined {
    const ref = refOfLive(type, object)
    const key = refKey(ref)
    const known = objects.get(key)
    if (known === undefined && !isWanted(key)) {
      passedOver.add(typeName(type))
      return undefined
    }
    if (known !== undefined && !isLaterVersion(object.metadata.resourceVersion, known.resourceVersion)) {
      const completes = detail === 'whole' && known.healthPending
      if (!completes || object.metadata.resourceVersion !== known.resourceVersion) return undefined
    }
    objects.set(key, readLive(type, ref, object, detail, known, judging))
    keysOf(type).add(key)
    if (detail === 'whole') noteEnd(type, object)
    return key
  }

  function drop(type: ResourceType, key: string, resourceVersion?: string): void {
    const known = objects.get(key)
    if (known === undefined) return
    if (resourceVersion !== undefined && isLaterVersion(known.resourceVersion, resourceVersion)) return
    objects.delete(key)
    keysOf(type).delete(key)
    onChange(key, known.ref, 'gone')
  }

  function keysOf(type: ResourceType): Set<string> {
    const name = typeName(type)
    let keys = keysByType.get(name)
    if (keys === undefined) {
      keys = new Set()
      keysByType.set(name, keys)
    }
    return keys
  }

  function takeAndTell(type: ResourceType, object: KubeObject, detail: Detail): void {
    const key = take(type, object, detail)
    const live = key === undefined ? undefined : objects.get(key)
    if (key !== undefined && live !== undefined) onChange(key, live.ref, 'changed')
  }

  function follow(type: ResourceType): Promise<void> {
    const name = typeName(type)
    const present = followed.get(name)
    if (present !== undefined) {
      if (!present.versions.some(({version}) => version === type.version)) present.versions.push(type)
      return present.ready
    }
    const detail = detailOf(type)
    const stop = new AbortController()
    const versions: [ResourceType, ...ResourceType[]] = [type]
    const ready = followType(kube, type, {
      detail,
      labelSelector: APP_LABEL,
      signal: AbortSignal.any([signal, stop.signal]),
      project(item) {
        takeAndTell(versions[0], item, detail)
        const key = refKey(refOfLive(type, item))
        return objects.has(key) ? key : undefined
      },
      onList(listed, resourceVersion) {
        const present = new Set(listed)
        for (const key of [...keysOf(type)]) if (!present.has(key)) drop(type, key, resourceVersion)
      },
      onEvent(event) {
        if (event.type === 'changed') takeAndTell(versions[0], event.object, detail)
        else {
          const key = refKey(refOfLive(type, event.object))
          // Its last state may be seen only now.
          if (isWanted(key)) noteEnd(versions[0], event.object)
          drop(type, key, event.object.metadata.resourceVersion)
        }
      },
      onTrouble: (error) => onTrouble(versions[0], error),
      nextVersion() {
        const [first, ...rest] = versions
        const [next = first] = rest
        versions.splice(0, versions.length, ...rest, first)
        return next
      },
    }).then(
      () => undefined,
      (error: unknown) => {
        followed.delete(name)
        throw error
      },
    )
    followed.set(name, {ready, stop, versions})
    return ready
  }

  /** What was passed over and is wanted now may never change again: it is read once. */
  function readWhole(type: ResourceType, ref: ObjectRef): void {
    kube.get(type, ref, 'whole').then(
      (found) => {
        if (found !== 'absent' && !signal.aborted) takeAndTell(type, found, 'whole')
      },
      (error: unknown) => {
        if (!signal.aborted && isKubeError(error)) onTrouble(type, error)
      },
    )
  }

  return {
    follow,
    get: (key) => objects.get(key),
    endOf: (uid) => ends.get(uid),
    note(type, object) {
      const ref = refOfLive(type, object)
      const key = refKey(ref)
      const known = objects.get(key)
      // The watch was faster.
      if (known !== undefined && known.resourceVersion === object.metadata.resourceVersion) return known
      const noted = readLive(type, ref, object, 'metadata', known, judging)
      if (known === undefined || isLaterVersion(noted.resourceVersion, known.resourceVersion)) {
        objects.set(key, noted)
        keysOf(type).add(key)
      }
      if (known === undefined && noted.healthPending && passedOver.has(typeName(type))) readWhole(type, ref)
      return noted
    },
    rejudge,
    all: () => objects.entries(),
    keepOnly(wanted) {
      for (const [name, {stop}] of followed) {
        if (wanted.has(name)) continue
        stop.abort()
        followed.delete(name)
        passedOver.delete(name)
        for (const key of keysByType.get(name) ?? []) objects.delete(key)
        keysByType.delete(name)
      }
    },
  }
}

function readLive(
  type: ResourceType,
  ref: ObjectRef,
  object: KubeObject,
  detail: Detail,
  known: LiveObject | undefined,
  judging: Judging,
): LiveObject {
  const {uid, resourceVersion, generation, managedFields} = object.metadata
  const annotations = annotationsOf(object)
  const keep = Object.fromEntries(Object.entries(annotations).filter(isKept))
  const terminating = metaText(object, 'deletionTimestamp') !== ''
  const live: LiveObject = {
    ref: known?.ref ?? ref,
    app: labelOf(object, APP_LABEL) ?? '',
    uid,
    resourceVersion,
    generation: typeof generation === 'number' ? generation : 0,
    fields: readFields(type, object),
    appliedAt: ownTime(managedFields),
    terminating,
    ...judgeLive(type, object, detail, terminating, known, judging),
  }
  if (Object.keys(keep).length > 0) live.keep = keep
  return live
}

const MAX_ANNOTATION_LENGTH = 2_000

/** Annotations that prune looks at; all others are not kept in memory. */
const keepAnnotations = new Set([
  'kustomize.toolkit.fluxcd.io/prune',
  'kustomize.toolkit.fluxcd.io/reconcile',
  'argocd.argoproj.io/sync-wave',
  'argocd.argoproj.io/sync-options',
  'helm.sh/resource-policy',
  'drawbridge.dev/prune',
])

function isKept([name, value]: [string, string]): boolean {
  return keepAnnotations.has(name) && value.length <= MAX_ANNOTATION_LENGTH
}

function ownTime(managedFields: unknown): string {
  if (!Array.isArray(managedFields)) return ''
  const own = managedFields.find((entry) => entry?.manager === FIELD_MANAGER && entry.operation === 'Apply')
  return typeof own?.time === 'string' ? own.time : ''
}

function refOfLive(type: ResourceType, object: KubeObject): ObjectRef {
  return {group: type.group, kind: type.kind, namespace: metaText(object, 'namespace'), name: object.metadata.name}
}

function typeName(type: ResourceType): string {
  return `${type.group}/${type.kind}`
}
