import {unknownKind} from '#agent/apply-objects.ts'
import {replicasToKeep, scalerOf} from '#agent/hand-over-replicas.ts'
import {objectToSend, sparedManagers} from '#agent/ignored-fields.ts'
import type {Discovery} from '#agent/kube/discovery.ts'
import type {KubeClient, ResourceType} from '#agent/kube/kube-client.ts'
import {isImmutableError, isKubeError} from '#agent/kube/kube-error.ts'
import {type KubeObject, labelOf, metaText} from '#agent/kube/kube-object.ts'
import type {ConcurrencyLimit} from '#agent/limit-concurrency.ts'
import {APP_LABEL, FIELD_MANAGER} from '#agent/marks.ts'
import {type PlannedBundle, type PlannedHook, type PlannedObject, parseBody} from '#agent/plan-objects.ts'
import type {PresentApp} from '#shared/model/desired-state.ts'
import {describeError} from '#shared/model/drawbridge-error.ts'
import type {FieldChange} from '#shared/model/field-change.ts'
import {isJsonObject, type JsonObject} from '#shared/model/manifest.ts'
import {formatRef} from '#shared/model/object-ref.ts'
import {removeAdopted} from '#shared/plan/adopt-fields.ts'
import {maskedChanges} from '#shared/plan/mask-fields.ts'
import type {SyncPhase} from '#shared/plan/read-hook.ts'
import type {ObjectChange} from './change.ts'

/** What a comparison needs of the cluster. */
export interface DiffPorts {
  kube: KubeClient
  discovery: Discovery
  limit: ConcurrencyLimit
}

/** One app, made ready to be compared. */
export interface DiffApp {
  name: string
  sync: Pick<PresentApp['sync'], 'ignoreDifferences'>
  planned: PlannedBundle
  /** Namespaces that the apply itself makes. */
  ownNamespaces: ReadonlySet<string>
  /** Which apps of the same render declare an object. */
  declaredBy: (key: string) => readonly string[]
}

type Place = Pick<ObjectChange, 'stage' | 'phase' | 'wave'>

/** Compares each object of an app with what the API server would make of it: a dry run of the agent's own apply. */
export async function diffObjects(ports: DiffPorts, app: DiffApp): Promise<ObjectChange[]> {
  const stages = app.planned.steps
    .filter(({phase}) => phase !== 'SyncFail')
    .flatMap(({phase, wave, stages: ofStep}) => ofStep.map((stage) => ({...stage, phase, wave})))
  const changes = stages.flatMap(({objects, hooks, phase, wave}, index): (ObjectChange | Promise<ObjectChange>)[] => {
    const place: Place = {stage: index + 1, phase, wave}
    return [
      ...objects.map((object) => ports.limit.run(() => diffObject(ports, app, object, place))),
      ...hooks.map((hook): ObjectChange => {
        return {action: 'hook', ref: hook.object.ref, ...place, fields: [], reason: whenItRuns(hook, phase)}
      }),
    ]
  })
  return Promise.all(changes)
}

function whenItRuns({rules}: PlannedHook, phase: SyncPhase): string {
  const release = rules.only?.[phase]
  if (release === 'install') return `runs in ${phase} of the first install`
  const when = `runs in ${phase} when its bundle is new`
  return release === undefined ? when : `${when}, but for the first install`
}

async function diffObject(ports: DiffPorts, app: DiffApp, object: PlannedObject, place: Place): Promise<ObjectChange> {
  const {type, ref, rules} = object
  const change = (action: ObjectChange['action'], fields: FieldChange[] = [], reason?: string): ObjectChange => ({
    action,
    ref,
    ...place,
    fields,
    ...(reason === undefined ? {} : {reason}),
  })
  if (type === undefined) return change('refused', [], unknownKind(object))
  try {
    const live = await ports.kube.get(type, ref, 'whole')
    if (live !== 'absent' && rules.mode === 'once') return change('unchanged')
    const owner = live === 'absent' ? undefined : labelOf(live, APP_LABEL)
    const rival = owner === undefined || owner === app.name ? undefined : owner
    if (rival !== undefined && app.declaredBy(object.key).includes(rival)) {
      return change('refused', [], `app ${rival} owns it and declares it too; keep it in one of the two`)
    }
    const wanted = await dryRun(ports, app, type, object)
    if (live === 'absent') return change('create', maskedChanges(ref, identityOf(object), parseBody(object)))
    if (metaText(live, 'deletionTimestamp') !== '') return change('refused', [], 'it is being deleted')
    if (wanted === 'not-yet') return change('unchanged')
    const settled = await takeOver(ports, app, type, object, wanted)
    const changes = maskedChanges(ref, withKind(live, object), withKind(settled, object))
    const handover = handoverOf(app, object, live)
    const fields = handover === undefined ? changes : changes.filter(({path}) => path !== '/spec/replicas')
    const moves = rival === undefined ? undefined : `moves here from app ${rival}`
    const reasons = [moves, handover].filter((reason) => reason !== undefined).join('; ')
    const same = fields.length === 0 && handover === undefined
    return change(same ? 'unchanged' : 'update', fields, reasons === '' ? undefined : reasons)
  } catch (error) {
    const anew = rules.force && isImmutableError(error)
    return change(anew ? 'recreate' : 'refused', [], describeError(error))
  }
}

/** What becomes of replicas that are left to a scaler: the agent keeps their number, which a dry run would set to 1. */
function handoverOf({planned}: DiffApp, object: PlannedObject, live: KubeObject): string | undefined {
  const scaler = scalerOf(planned, object)
  const replicas = replicasToKeep(live)
  if (scaler === undefined || replicas === undefined) return undefined
  return `spec.replicas is no longer declared: it stays ${replicas} until ${formatRef(scaler)} changes it`
}

/** `not-yet`: it cannot be tried before what the same apply makes first is there, its namespace or its definition. */
async function dryRun(
  ports: DiffPorts,
  app: DiffApp,
  type: ResourceType,
  object: PlannedObject,
): Promise<KubeObject | 'not-yet'> {
  const {ref, defined} = object
  try {
    const {body} = await objectToSend(ports.kube, app, type, object)
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

/** What the object is when the agent has taken over what other tools own of it: without what is not declared, and with the server's defaults. */
async function takeOver(
  {kube}: DiffPorts,
  {sync}: DiffApp,
  type: ResourceType,
  object: PlannedObject,
  applied: KubeObject,
): Promise<JsonObject> {
  const taken = object.rules.takeOver ? removeAdopted(applied, FIELD_MANAGER, sparedManagers(sync)) : applied
  if (taken === applied) return applied
  const {managedFields: _, resourceVersion: _version, ...metadata} = isJsonObject(taken.metadata) ? taken.metadata : {}
  const {name} = object.ref
  try {
    const whole = {
      ...withKind(taken, object),
      metadata: {...metadata, name, ...(object.ref.namespace === '' ? {} : {namespace: object.ref.namespace})},
    }
    const answer = await kube.replace(type, whole, undefined, 'dry-run')
    return answer === 'conflict' ? taken : answer
  } catch (error) {
    // Who may only patch sees the fields without their defaults.
    if (isKubeError(error, 'FORBIDDEN')) return taken
    throw error
  }
}

function identityOf({ref, apiVersion}: PlannedObject): JsonObject {
  const namespace = ref.namespace === '' ? {} : {namespace: ref.namespace}
  return {apiVersion, kind: ref.kind, metadata: {name: ref.name, ...namespace}}
}

function withKind(live: JsonObject, {ref, apiVersion}: PlannedObject): JsonObject {
  return {...live, apiVersion, kind: ref.kind}
}
