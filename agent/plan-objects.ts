import {createHash} from 'node:crypto'
import {canonicalJson} from '#shared/bundle/canonical-json.ts'
import {parseExactJson} from '#shared/bundle/exact-json.ts'
import {childObject, isJsonObject, type JsonObject, type Manifest} from '#shared/model/manifest.ts'
import {formatRef, groupOf, type ObjectRef, refKey, refOf} from '#shared/model/object-ref.ts'
import type {InventoryEntry} from '#shared/plan/inventory.ts'
import {isGenerated, isRunOf, nameRun} from '#shared/plan/name-run.ts'
import {planPhases} from '#shared/plan/plan-phases.ts'
import {type ApplyRules, readApplyRules} from '#shared/plan/read-apply-rules.ts'
import type {HookRules, SyncPhase} from '#shared/plan/read-hook.ts'
import {defaultNamespaces} from '#shared/plan/scope.ts'
import {AppFailure} from './app-failure.ts'
import {type Bodies, createBodies} from './keep-bodies.ts'
import type {Discovery} from './kube/discovery.ts'
import type {ResourceType} from './kube/kube-client.ts'
import {APP_LABEL} from './marks.ts'

/** An object as it will be applied: its JSON with the owner mark, and what identifies it. */
export interface PlannedObject {
  key: string
  ref: ObjectRef
  apiVersion: string
  /** Undefined where the server serves no such kind and the app brings no definition of it. */
  type: ResourceType | undefined
  /** The definition of its kind is in the same app, so the server may not serve it yet. */
  defined: boolean
  /** Unpacked each time: take it once. */
  readonly body: string
  rules: ApplyRules
  /** 32 hex characters of the digest of `body`. */
  digest: string
}

/** An object that runs in phases of a sync. */
export interface PlannedHook {
  object: PlannedObject
  rules: HookRules
  /** Each run of it is an object of its own, named by `nameRun`. */
  generateName?: string
}

/** What is applied all at once. */
export interface PlannedStage {
  objects: PlannedObject[]
  hooks: PlannedHook[]
}

/** One wave of one phase: healthy, and its hooks through, before the next begins. */
export interface PlannedStep {
  phase: SyncPhase
  wave: number
  stages: PlannedStage[]
}

/** An app's objects, in the steps in which they are applied. */
export interface PlannedBundle {
  steps: PlannedStep[]
  /** What is kept as declared. */
  objects: Map<string, PlannedObject>
  hooks: Map<string, PlannedHook>
  /** What is only created where it is absent. */
  once: Map<string, PlannedObject>
  /** Declared, and by its own annotation not to be touched. */
  untouched: Set<string>
}

/**
 * Makes a bundle's manifests ready to be applied as an app: ordered, each with its type found, its namespace as the server will
 * store it and the owner mark set. Asks the server only for API versions that it was not asked for before. `bundle` is the digest that runs
 * of hooks with a `generateName` are named by. Throws `AppFailure` REFUSED where two manifests are one object in the cluster.
 */
export async function planObjects(manifests: Manifest[], options: PlanOptions): Promise<PlannedBundle> {
  const {planned, fill, close} = await planOutlines(manifests, options)
  for (const manifest of manifests) fill(manifest)
  close()
  return planned
}

export interface PlanOptions {
  app: string
  namespace: string | undefined
  discovery: Discovery
  bundle?: string
}

/** A bundle whose objects have no body yet. */
export interface OutlinedBundle {
  planned: PlannedBundle
  /** Takes the whole manifests, one after the other, in the order of the outlines. */
  fill(manifest: Manifest): void
  /** Call after the last of them. */
  close(): void
}

/** The same of manifests that need no more than `outlineOf` leaves of them, so that all of them are never held at once. */
export async function planOutlines(manifests: readonly Manifest[], options: PlanOptions): Promise<OutlinedBundle> {
  const {app, namespace, discovery, bundle: digest = ''} = options
  const defined = definedTypes(manifests)
  const types = new Map<string, ResourceType | undefined>()
  for (const {apiVersion, kind} of manifests) {
    const name = `${apiVersion} ${kind}`
    if (!types.has(name)) types.set(name, defined.get(name) ?? (await discovery.find(apiVersion, kind)))
  }
  requireDistinct(manifests, (manifest) =>
    namespaceOf(manifest, types.get(`${manifest.apiVersion} ${manifest.kind}`), namespace),
  )
  const bundle: PlannedBundle = {
    steps: [],
    objects: new Map(),
    hooks: new Map(),
    once: new Map(),
    untouched: new Set(),
  }
  const bodies = createBodies()
  const outlines = defaultNamespaces([...manifests], namespace)
  const unfilled = new Map(outlines.map((outline) => [outline, [] as ((manifest: Manifest) => void)[]]))
  const plan = (outline: Manifest, name = outline.metadata.name): PlannedObject => {
    const kind = `${outline.apiVersion} ${outline.kind}`
    const named = name === outline.metadata.name ? outline : {...outline, metadata: {...outline.metadata, name}}
    const {object, fill} = planObject(named, {
      app,
      namespace,
      type: types.get(kind),
      defined: defined.has(kind),
      bodies,
    })
    unfilled.get(outline)?.push(fill)
    return object
  }
  bundle.steps = planPhases(outlines).map(({phase, wave, stages}) => ({
    phase,
    wave,
    stages: stages.map(({objects, hooks}) => ({
      objects: objects.map((manifest) => plan(manifest)).filter((object) => sortIn(bundle, object)),
      hooks: hooks.map(({manifest, rules}) => {
        const {generateName, name: declared} = manifest.metadata
        const generated = isGenerated(generateName, declared) ? generateName : undefined
        const name = generated === undefined ? declared : nameRun(generated, {declared, bundle: digest, phase})
        const object = plan(manifest, name)
        const hook: PlannedHook = generated === undefined ? {object, rules} : {object, rules, generateName: generated}
        const known = bundle.hooks.get(object.key) ?? hook
        bundle.hooks.set(object.key, known)
        return known
      }),
    })),
  }))
  let next = 0
  return {
    planned: bundle,
    fill(manifest) {
      const outline = outlines[next++]
      for (const fill of (outline && unfilled.get(outline)) ?? []) fill(manifest)
    },
    close: bodies.close,
  }
}

/** Tells whether an object is to be applied at all, and puts it where it belongs. */
function sortIn(bundle: PlannedBundle, object: PlannedObject): boolean {
  if (object.rules.mode === 'never') bundle.untouched.add(object.key)
  else (object.rules.mode === 'once' ? bundle.once : bundle.objects).set(object.key, object)
  return object.rules.mode !== 'never'
}

/** The object that a planned one sends. */
export function parseBody({body}: Pick<PlannedObject, 'body'>): JsonObject {
  const parsed = parseExactJson(body)
  return isJsonObject(parsed) ? parsed : {}
}

/** Tells whether an app declares an object, in whatever way. */
export function declares(bundle: PlannedBundle, key: string): boolean {
  return bundle.objects.has(key) || bundle.hooks.has(key) || bundle.once.has(key) || bundle.untouched.has(key)
}

/** Tells whether an object is a run of a hook that is declared, for another bundle: its delete policy says how long it stays. */
export function isFormerRun(bundle: PlannedBundle, {ref, hook}: Pick<InventoryEntry, 'ref' | 'hook'>): boolean {
  return hook !== undefined && [...bundle.hooks.values()].some((planned) => isFormerRunOf(bundle, planned, ref))
}

/** The same for one hook. */
export function isFormerRunOf(bundle: PlannedBundle, {object, generateName}: PlannedHook, ref: ObjectRef): boolean {
  const {group, kind, namespace} = object.ref
  if (generateName === undefined || ref.group !== group || ref.kind !== kind || ref.namespace !== namespace)
    return false
  return isRunOf(generateName, ref.name) && !bundle.hooks.has(refKey(ref))
}

/** Tells whether nothing is declared that stays: hooks alone are no reason to delete all else. */
export function isEmpty(bundle: PlannedBundle): boolean {
  return bundle.objects.size + bundle.once.size + bundle.untouched.size === 0
}

function planObject(
  outline: Manifest,
  options: {
    app: string
    namespace: string | undefined
    type: ResourceType | undefined
    defined: boolean
    bodies: Bodies
  },
): {object: PlannedObject; fill: (manifest: Manifest) => void} {
  const {app, type, defined, bodies} = options
  const {name} = outline.metadata
  const namespace = namespaceOf(outline, type, options.namespace)
  const {apiVersion, kind} = outline
  const ref = refOf({apiVersion, kind, metadata: {name, ...(namespace === undefined ? {} : {namespace})}})
  let read = (): string => ''
  const object = {
    key: refKey(ref),
    ref,
    apiVersion,
    type,
    defined,
    get body() {
      return read()
    },
    rules: readApplyRules(outline),
    digest: '',
  }
  const fill = (manifest: Manifest): void => {
    const {namespace: _, ...metadata} = manifest.metadata
    const labels = {...childObject(metadata, 'labels'), [APP_LABEL]: app}
    const body = canonicalJson({
      ...storedForm(manifest),
      metadata: {...metadata, name, ...(namespace === undefined ? {} : {namespace}), labels},
    })
    object.digest = createHash('sha256').update(body).digest('hex').slice(0, 32)
    read = bodies.add(body)
  }
  return {object, fill}
}

/** The namespace that an object has in the cluster; undefined for one without. */
function namespaceOf(
  {metadata: {namespace}}: Manifest,
  type: ResourceType | undefined,
  inherited: string | undefined,
): string | undefined {
  if (type === undefined) return namespace
  return type.namespaced ? namespace || (inherited ?? 'default') : undefined
}

/** Two manifests of one object would undo each other for ever. Which they are is known only here, where every kind's scope is. */
function requireDistinct(
  manifests: readonly Manifest[],
  namespaceIn: (manifest: Manifest) => string | undefined,
): void {
  const seen = new Map<string, number>()
  for (const [index, manifest] of manifests.entries()) {
    const ref = {...refOf(manifest), namespace: namespaceIn(manifest) ?? ''}
    const first = seen.get(refKey(ref))
    seen.set(refKey(ref), index)
    if (first === undefined) continue
    const places = [first, index].map((at) => describePlace(manifests[at], at)).join(' and as ')
    const message = `${formatRef(ref)} is declared twice: as ${places}; keep one`
    throw new AppFailure('REFUSED', message, {code: 'DUPLICATE_OBJECT'})
  }
}

function describePlace(manifest: Manifest | undefined, index: number): string {
  const {namespace} = manifest?.metadata ?? {}
  return `object ${index + 1} of its bundle (${namespace === undefined ? 'without a namespace' : `namespace: ${namespace}`})`
}

/**
 * A Secret's `stringData` is never stored: the server turns it into `data`, which then nobody owns, so a change of it would go
 * unnoticed. Applied as `data` it is ours. What is no text is left for the server to refuse.
 */
function storedForm(manifest: Manifest): Manifest {
  if (isAggregated(manifest)) {
    // Its rules are the controller's, which writes them anew each time.
    const {rules: _, ...rest} = manifest
    return {...rest, apiVersion: manifest.apiVersion, kind: manifest.kind, metadata: manifest.metadata}
  }
  const {stringData, ...rest} = manifest
  if (manifest.kind !== 'Secret' || manifest.apiVersion !== 'v1' || !isJsonObject(stringData)) return manifest
  const entries = Object.entries(stringData)
  // The server takes an absent value for an empty one.
  const texts = entries.map(([key, value]) => [key, value ?? ''] as const)
  if (!texts.every((text): text is readonly [string, string] => typeof text[1] === 'string')) return manifest
  const encoded = texts.map(([key, value]) => [key, Buffer.from(value).toString('base64')])
  const {apiVersion, kind, metadata} = manifest
  return {...rest, apiVersion, kind, metadata, data: {...childObject(manifest, 'data'), ...Object.fromEntries(encoded)}}
}

function isAggregated({apiVersion, kind, aggregationRule}: Manifest): boolean {
  return kind === 'ClusterRole' && groupOf(apiVersion) === 'rbac.authorization.k8s.io' && isJsonObject(aggregationRule)
}

/** The types that an app's own CustomResourceDefinitions will bring, by `apiVersion kind`. */
function definedTypes(manifests: readonly Manifest[]): Map<string, ResourceType> {
  const types = new Map<string, ResourceType>()
  for (const manifest of manifests) {
    if (manifest.kind !== 'CustomResourceDefinition' || groupOf(manifest.apiVersion) !== 'apiextensions.k8s.io')
      continue
    const spec = childObject(manifest, 'spec')
    const names = childObject(spec, 'names')
    const versions = Array.isArray(spec?.versions) ? spec.versions : []
    if (typeof spec?.group !== 'string' || typeof names?.kind !== 'string' || typeof names.plural !== 'string') continue
    for (const version of versions) {
      if (!isJsonObject(version) || typeof version.name !== 'string' || version.served === false) continue
      types.set(`${spec.group}/${version.name} ${names.kind}`, {
        group: spec.group,
        version: version.name,
        kind: names.kind,
        plural: names.plural,
        namespaced: spec.scope !== 'Cluster',
      })
    }
  }
  return types
}
