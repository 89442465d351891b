import type {PresentApp} from '#shared/model/desired-state.ts'
import {isJsonObject} from '#shared/model/manifest.ts'
import {formatRef} from '#shared/model/object-ref.ts'
import {adoptFields, adoptParameters} from '#shared/plan/adopt-fields.ts'
import type {AgentContext} from './agent-context.ts'
import {AppFailure} from './app-failure.ts'
import {type AppState, impersonatedUser, type LoadedBundle} from './app-state.ts'
import {awaitGone} from './await-gone.ts'
import {deleteAndAwait} from './delete-and-await.ts'
import {trimExemption} from './exempt-memory.ts'
import {handOverReplicas} from './hand-over-replicas.ts'
import {sparedManagers} from './ignored-fields.ts'
import type {KubeClient, ResourceType} from './kube/kube-client.ts'
import {isImmutableError, isKubeError} from './kube/kube-error.ts'
import type {KubeObject} from './kube/kube-object.ts'
import {FIELD_MANAGER} from './marks.ts'
import {hasEnded} from './note-end.ts'
import {type PlannedObject, parseBody} from './plan-objects.ts'
import {readerAs} from './read-as.ts'

/** Of one kind, that others applied an object in. */
const MAX_VERSIONS = 4

type Means = Pick<AgentContext, 'live' | 'ports' | 'signal'>

/**
 * Sends one object as its rules ask, and resolves with the metadata that the server answered: by server-side apply, after a replacement,
 * or only where there is none (`'exists'`: there is one, and it is left alone). Makes it anew only where it asks for that, or came to its end and
 * would go by its own rule, and nothing but fields that cannot be changed stands in the way.
 */
export async function sendApply(
  means: Means,
  app: AppState,
  bundle: LoadedBundle,
  object: PlannedObject,
  type: ResourceType,
): Promise<KubeObject | 'exists'> {
  const {kube} = means.ports
  const {impersonate} = impersonatedUser(bundle.app)
  const reader = readerAs(means, app, bundle.app)
  if (object.rules.mode === 'once') return kube.create(type, manifestOf(object), impersonate)
  const ended = hasEnded(means, app, object.key)
  // It would take the change, and go with it.
  if (ended && means.live.get(object.key)?.terminating) await awaitGone(means, [object.ref], means.signal)
  try {
    if (object.rules.replace) await replaceWhole(means, reader, object, type, impersonate)
    await trimExemption({apply: kube.apply, ...reader}, object, impersonate)
    await handOverReplicas({apply: kube.apply, ...reader}, bundle, object, type, impersonate)
    return await applyAndAdopt(means, bundle.app, object, type)
  } catch (error) {
    if (isKubeError(error) && error.details.leftover === true) {
      await takeParameters(means, reader, object, type, impersonate)
      return applyAndAdopt(means, bundle.app, object, type)
    }
    if (!(object.rules.force || ended) || !isImmutableError(error)) throw error
    await deleteForGood(means, object, type, bundle.app.sync.timeoutSeconds, impersonate)
    return applyAndAdopt(means, bundle.app, object, type)
  }
}

async function applyAndAdopt(
  {ports: {kube}, signal}: Means,
  app: PresentApp,
  object: PlannedObject,
  type: ResourceType,
): Promise<KubeObject> {
  const {ref, body, rules} = object
  const {impersonate} = impersonatedUser(app)
  const send = (): Promise<KubeObject> =>
    kube.apply(type, ref, body, {
      fieldManager: FIELD_MANAGER,
      force: true,
      detail: 'metadata',
      lastTry: signal,
      ...(impersonate === undefined ? {} : {impersonate}),
    })
  const spared = sparedManagers(app.sync)
  let answer = await send()
  for (let version = 0; version < MAX_VERSIONS && rules.takeOver; version++) {
    const managedFields = adoptFields(answer.metadata.managedFields, FIELD_MANAGER, spared)
    if (managedFields === undefined || signal.aborted) break
    const {resourceVersion} = answer.metadata
    const taken = await kube.setManagedFields(type, ref, {resourceVersion, managedFields}, impersonate)
    // Somebody was quicker: the next apply takes them over.
    if (taken === 'conflict') break
    answer = await send()
  }
  return answer
}

async function replaceWhole(
  {ports: {kube}}: Means,
  reader: Pick<KubeClient, 'get'>,
  object: PlannedObject,
  type: ResourceType,
  impersonate: string | undefined,
): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt++) {
    const live = await reader.get(type, object.ref, 'metadata')
    if (live === 'absent') return
    const manifest = manifestOf(object)
    const {resourceVersion} = live.metadata
    const answer = await kube.replace(
      type,
      {...manifest, metadata: {...manifest.metadata, resourceVersion}},
      impersonate,
    )
    if (answer !== 'conflict') return
  }
}

/** Reads with the agent's rights: the identity was let change this object, and lets it be deleted. */
async function deleteForGood(
  {ports: {kube}, signal}: Means,
  {ref}: PlannedObject,
  type: ResourceType,
  timeoutSeconds: number,
  impersonate: string | undefined,
): Promise<void> {
  const live = await kube.get(type, ref, 'metadata')
  if (live === 'absent') return
  const {uid} = live.metadata
  const user = impersonate === undefined ? {} : {impersonate}
  const left = await deleteAndAwait(kube, {type, ref, uid, timeoutSeconds, lastTry: signal, signal, ...user})
  if (left === 'gone') return
  if (left === 'stopped') throw new AppFailure('APPLY_FAILED', `${formatRef(ref)}: stopped before it was made anew`)
  const {finalizers} = left.metadata
  const waits = Array.isArray(finalizers) ? `; it waits for ${finalizers.join(', ')}` : ''
  throw new AppFailure('APPLY_FAILED', `${formatRef(ref)} must be made anew, and its deletion does not end${waits}`)
}

/** Another strategy's parameters are in the way: once they are ours, the next apply takes them away. */
async function takeParameters(
  {ports: {kube}}: Means,
  reader: Pick<KubeClient, 'get'>,
  {ref}: PlannedObject,
  type: ResourceType,
  impersonate: string | undefined,
): Promise<void> {
  const live = await reader.get(type, ref, 'metadata')
  if (live === 'absent') return
  const {resourceVersion} = live.metadata
  const managedFields = adoptParameters(live.metadata.managedFields, FIELD_MANAGER)
  if (managedFields !== undefined) {
    await kube.setManagedFields(type, ref, {resourceVersion, managedFields}, impersonate)
  }
}

function manifestOf(object: PlannedObject) {
  const {ref} = object
  const manifest = parseBody(object)
  if (!isJsonObject(manifest.metadata)) throw new Error(`${formatRef(ref)} is not an object`)
  const {namespace} = ref
  return {
    ...manifest,
    metadata: {...manifest.metadata, name: ref.name, ...(namespace === '' ? {} : {namespace})},
  }
}
