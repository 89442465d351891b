import {unknownKind} from '#agent/apply-objects.ts'
import type {Discovery} from '#agent/kube/discovery.ts'
import type {KubeClient} from '#agent/kube/kube-client.ts'
import {isKubeError} from '#agent/kube/kube-error.ts'
import {type KubeObject, labelOf, metaText} from '#agent/kube/kube-object.ts'
import type {ConcurrencyLimit} from '#agent/limit-concurrency.ts'
import {APP_LABEL, FIELD_MANAGER} from '#agent/marks.ts'
import type {PlannedBundle, PlannedObject} from '#agent/plan-objects.ts'
import {describeError} from '#shared/model/drawbridge-error.ts'
import {isJsonObject, type JsonObject} from '#shared/model/manifest.ts'
import type {ObjectChange} from './change.ts'
import {maskedChanges} from './mask-fields.ts'

/** What a comparison needs of the cluster. */
export interface DiffPorts {
  kube: KubeClient
  discovery: Discovery
  limit: ConcurrencyLimit
}

/** One app, made ready to be compared. */
export interface DiffApp {
  name: string
  planned: PlannedBundle
  /** Namespaces that the apply itself makes. */
  ownNamespaces: ReadonlySet<string>
  /** Which apps of the same render declare an object. */
  declaredBy: (key: string) => readonly string[]
}

/** Compares each object of an app with what the API server would make of it: a dry run of the agent's own apply. */
export async function diffObjects(ports: DiffPorts, app: DiffApp): Promise<ObjectChange[]> {
  const stages = app.planned.stages.flatMap((objects, index) => objects.map((object) => ({object, stage: index + 1})))
  return Promise.all(stages.map(({object, stage}) => ports.limit.run(() => diffObject(ports, app, object, stage))))
}

async function diffObject(ports: DiffPorts, app: DiffApp, object: PlannedObject, stage: number): Promise<ObjectChange> {
  const {type, ref} = object
  const refused = (reason: string): ObjectChange => ({action: 'refused', ref, stage, fields: [], reason})
  if (type === undefined) return refused(unknownKind(object))
  try {
    const live = await ports.kube.get(type, ref, 'whole')
    const owner = live === 'absent' ? undefined : labelOf(live, APP_LABEL)
    const rival = owner === undefined || owner === app.name ? undefined : owner
    if (rival !== undefined && app.declaredBy(object.key).includes(rival)) {
      return refused(`app ${rival} owns it and declares it too; keep it in one of the two`)
    }
    const wanted = await dryRun(ports, app, object)
    if (live === 'absent') {
      return {action: 'create', ref, stage, fields: maskedChanges(identityOf(object), parseBody(object))}
    }
    if (metaText(live, 'deletionTimestamp') !== '') return refused('it is being deleted')
    if (wanted === 'not-yet') return {action: 'unchanged', ref, stage, fields: []}
    const fields = maskedChanges(withKind(live, object), withKind(wanted, object))
    return {
      action: fields.length === 0 ? 'unchanged' : 'update',
      ref,
      stage,
      fields,
      ...(rival === undefined ? {} : {reason: `moves here from app ${rival}`}),
    }
  } catch (error) {
    return refused(describeError(error))
  }
}

/** `not-yet`: it cannot be tried before what the same apply makes first is there, its namespace or its definition. */
async function dryRun(ports: DiffPorts, app: DiffApp, object: PlannedObject): Promise<KubeObject | 'not-yet'> {
  const {type, ref, body, defined} = object
  if (type === undefined) return 'not-yet'
  try {
    return await ports.kube.apply(type, ref, body, {
      fieldManager: FIELD_MANAGER,
      force: true,
      dryRun: true,
      detail: 'whole',
    })
  } catch (error) {
    if (isKubeError(error, 'NOT_FOUND') && (defined || app.ownNamespaces.has(ref.namespace))) return 'not-yet'
    throw error
  }
}

function parseBody({body}: PlannedObject): JsonObject {
  const parsed: unknown = JSON.parse(body)
  return isJsonObject(parsed) ? parsed : {}
}

function identityOf({ref, apiVersion}: PlannedObject): JsonObject {
  const namespace = ref.namespace === '' ? {} : {namespace: ref.namespace}
  return {apiVersion, kind: ref.kind, metadata: {name: ref.name, ...namespace}}
}

function withKind(live: KubeObject, {ref, apiVersion}: PlannedObject): JsonObject {
  return {...live, apiVersion, kind: ref.kind}
}
