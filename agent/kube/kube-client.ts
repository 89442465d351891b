import type {JsonObject} from '#shared/model/manifest.ts'
import type {KubeError} from './kube-error.ts'
import type {KubeObject, NewObject} from './kube-object.ts'

/** One kind as one API version serves it. */
export interface ResourceType {
  /** '' for the core group. */
  group: string
  version: string
  kind: string
  plural: string
  namespaced: boolean
  /** Whether objects of it can be listed; true where it is not known. */
  listable?: boolean
}

/** Names one object of a type. `namespace` is '' for a cluster-scoped one. */
export interface ObjectName {
  namespace: string
  name: string
}

/** How much of each object is answered: `metadata` is a PartialObjectMetadata. */
export type Detail = 'metadata' | 'whole'

export interface ListOptions {
  detail: Detail
  labelSelector?: string
  fieldSelector?: string
  namespace?: string
  /** `system:serviceaccount:<namespace>:<name>`; of a list only. */
  impersonate?: string
}

export type WatchEvent = {type: 'changed'; object: KubeObject} | {type: 'deleted'; object: KubeObject}

export interface ApplyOptions {
  fieldManager: string
  /** Takes over fields that other managers own. */
  force: boolean
  dryRun?: boolean
  detail: Detail
  /** Only the status, of an object that is there. */
  subresource?: 'status'
  /** `system:serviceaccount:<namespace>:<name>` */
  impersonate?: string
  /** Once it ends the request is not tried again; one under way is finished. */
  lastTry?: AbortSignal
  /** Not tried again where a webhook held it up, or may have (`isHeldUp`): who asks does something about that first. */
  impatient?: boolean
}

export interface DeleteOptions {
  uid?: string
  resourceVersion?: string
  propagation: 'Background' | 'Foreground' | 'Orphan'
  impersonate?: string
  /** Once it ends the request is not tried again; one under way is finished. */
  lastTry?: AbortSignal
  /** Not tried again where a webhook held it up, or may have (`isHeldUp`): who asks does something about that first. */
  impatient?: boolean
}

/**
 * What the agent asks of an API server. Methods reject with `KubeError`. Reads, applies and deletes are tried again on 429, 5xx
 * and broken connections, a bounded number of times; every request has a timeout.
 */
export interface KubeClient {
  /** The server's version, as `v1.36.3`. */
  serverVersion(): Promise<string>
  /** Whether it says that it is ready: before, it answers `'absent'` for what it serves a moment later. True where it does not say. */
  isReady(): Promise<boolean>
  /** The types that an API version (`v1`, `apps/v1`) serves; `'absent'` where the server does not have it. */
  listTypes(apiVersion: string): Promise<ResourceType[] | 'absent'>
  /** Every API version that the server has, `v1` first, in each group the preferred one first: not every kind is served in that. */
  listApiVersions(): Promise<string[]>
  get(type: ResourceType, target: ObjectName, detail: Detail, impersonate?: string): Promise<KubeObject | 'absent'>
  /**
   * All objects that match, read in pages, and the resourceVersion to watch from. With `project`, of each object only what that makes of it
   * (nothing, where that is undefined); it is called as the objects come, and again for those of a page that is tried again.
   */
  list<T = KubeObject>(
    type: ResourceType,
    options: ListOptions,
    project?: (object: KubeObject) => T | undefined,
  ): Promise<{items: T[]; resourceVersion: string}>
  /**
   * Tells changes after `resourceVersion` until the stream ends (`'ended'`: go on from the version that `onVersion` told last)
   * or the server no longer has that version (`'expired'`: list again). A silent stream ends by itself. An event that is larger than any
   * object that a cluster stores is left out, and `onSkipped` told.
   */
  watch(
    type: ResourceType,
    options: ListOptions & {resourceVersion: string; signal: AbortSignal},
    onEvent: (event: WatchEvent) => void,
    onVersion: (resourceVersion: string) => void,
    onSkipped?: (error: KubeError) => void,
  ): Promise<'ended' | 'expired'>
  /** Server-side apply. `body` is the object as JSON. */
  apply(type: ResourceType, target: ObjectName, body: string, options: ApplyOptions): Promise<KubeObject>
  /** `'exists'` where it was there before. Not retried. */
  create(type: ResourceType, object: NewObject, impersonate?: string): Promise<KubeObject | 'exists'>
  /**
   * Replaces an object at the resourceVersion that it names, or at any where it names none; `'conflict'` where that is not the present one.
   * Not retried. With `'dry-run'` nothing is written.
   */
  replace(
    type: ResourceType,
    object: NewObject,
    impersonate?: string,
    dryRun?: 'dry-run',
  ): Promise<KubeObject | 'conflict'>
  /** Says anew who owns which field of an object, at a resourceVersion; `'conflict'` where that is not the present one. Not retried. */
  setManagedFields(
    type: ResourceType,
    target: ObjectName,
    fields: {resourceVersion: string; managedFields: JsonObject[]},
    impersonate?: string,
  ): Promise<'set' | 'conflict'>
  /** Deletes; `'conflict'` where a precondition does not hold, `'finalizing'` where its finalizers keep it for now. */
  delete(
    type: ResourceType,
    target: ObjectName,
    options: DeleteOptions,
  ): Promise<'deleted' | 'finalizing' | 'absent' | 'conflict'>
  /** Closes its connections. */
  close(): void
}

/** `apps/v1`, or `v1` for the core group. */
export function apiVersionOf(type: ResourceType): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`
}
