import {describeError} from '#shared/model/drawbridge-error.ts'
import {isJsonObject, type JsonObject} from '#shared/model/manifest.ts'
import {formatRef, refKey} from '#shared/model/object-ref.ts'
import {type AgentContext, type AgentPorts, aboutApp} from './agent-context.ts'
import {type AppliedEntry, type AppState, impersonatedUser, type LoadedBundle} from './app-state.ts'
import {describeExemption, exemptMemory, interceptorType, isExempt, type Obstacle} from './exempt-memory.ts'
import type {StoredInventory} from './inventory-store.ts'
import type {ResourceType} from './kube/kube-client.ts'
import {isHeldUp, isKubeError, type KubeError} from './kube/kube-error.ts'
import {type KubeObject, labelOf} from './kube/kube-object.ts'
import {APP_LABEL} from './marks.ts'
import {readAs} from './read-as.ts'
import {stateTypes} from './state-types.ts'
import {judgeApp} from './track-health.ts'

/** An app, and what it applied. */
interface Applier {
  name: string
  serviceAccount: string | undefined
  entries: Iterable<Pick<AppliedEntry, 'ref' | 'uid'>>
}

type Means = Pick<AgentPorts, 'kube' | 'log'>

/**
 * A webhook or policy of one app may keep the agent from writing its own memory, and so stop every app. Where `error` is the refusal of such a
 * write, or that it got no answer in time, the memory, and nothing else, is left out of what is in its way, in the name of its app. `'unblocked'`: the write is worth another
 * try. Never rejects.
 */
export async function unblockMemory(ctx: AgentContext, error: unknown): Promise<'unblocked' | 'blocked'> {
  const {namespace} = ctx.config
  const apps = [...ctx.apps.values()].map(({name, serviceAccount, inventory}) => ({
    name,
    serviceAccount,
    entries: [...inventory.values()],
  }))
  const {exempted, failed} = await unblock(ctx.ports, namespace, apps, error)
  for (const [name, words] of [...exempted, ...failed]) {
    const app = ctx.apps.get(name)
    if (app === undefined || app.exempted === words) continue
    app.exempted = words
    if (app.condition.ready === 'True') judgeApp(ctx, app)
  }
  return exempted.size > 0 ? 'unblocked' : 'blocked'
}

/** The same for the Lease, without which no agent knows more than what the inventories in the cluster say. Never rejects. */
export async function unblockLease(
  ports: Means,
  namespace: string,
  readInventories: () => Promise<Map<string, StoredInventory>>,
  error: unknown,
): Promise<void> {
  if (!isBlocked(error)) return
  try {
    const apps = [...(await readInventories())].flatMap(([name, {entries, serviceAccount}]): Applier[] =>
      Array.isArray(entries) ? [{name, serviceAccount, entries}] : [],
    )
    await unblock(ports, namespace, apps, error)
  } catch (failure) {
    ports.log('warn', `what keeps the agent from its Lease cannot be looked for: ${describeError(failure)}`)
  }
}

/** Notes what of an app the memory was left out of, as the cluster has it. Never rejects. */
export async function noteExemption(ctx: AgentContext, app: AppState, bundle: LoadedBundle): Promise<void> {
  const before = app.exempted
  let exempted: string | undefined
  let labels: JsonObject | undefined
  for (const {ref} of bundle.objects.values()) {
    const type = interceptorType(ref)
    if (type === undefined) continue
    try {
      const live = await readAs(ctx, app, bundle.app, type, ref, 'whole')
      labels ??= await labelsOf(ctx.ports.kube, ctx.config.namespace)
      if (live !== 'absent' && isExempt(live, labels)) exempted ??= describeExemption(ref, ctx.config.namespace)
    } catch (error) {
      ctx.ports.log('info', `app ${app.name}: ${describeError(error)}`, aboutApp(app, refKey(ref)))
    }
  }
  // Another write may have been unblocked while this was read.
  if (app.exempted === before) app.exempted = exempted
}

function isBlocked(error: unknown): error is KubeError {
  return isHeldUp(error) || (isKubeError(error) && error.details.policy !== undefined)
}

/**
 * By name, where the API server answered. Where it did not in time, it may be that it waits for a webhook: its own answer comes after that one's
 * `timeoutSeconds`, which is longer than a Lease can wait.
 */
async function obstacleOf({kube}: Means, namespace: string, {details}: KubeError): Promise<Obstacle> {
  if (typeof details.webhook === 'string') return {webhook: details.webhook}
  if (typeof details.policy === 'string') return {policy: details.policy}
  return {labels: await labelsOf(kube, namespace)}
}

async function labelsOf(kube: Means['kube'], namespace: string): Promise<JsonObject> {
  const live = await kube.get(stateTypes.namespace, {namespace: '', name: namespace}, 'metadata')
  const labels = live === 'absent' ? undefined : live.metadata.labels
  return isJsonObject(labels) ? labels : {}
}

/** By app, what is said of it: what the memory was left out of, and what it could not be left out of. */
interface Unblocked {
  exempted: Map<string, string>
  failed: Map<string, string>
}

/** An app's own account may have lost the right since; the object is known to be the app's, so the agent's own will do, where it has it. */
async function exemptInSomeName(
  kube: Means['kube'],
  type: ResourceType,
  live: KubeObject,
  options: Parameters<typeof exemptMemory>[3],
): Promise<'exempted' | 'unchanged'> {
  try {
    return await exemptMemory(kube, type, live, options)
  } catch (error) {
    if (options.impersonate === undefined || !isKubeError(error, 'FORBIDDEN')) throw error
    const {impersonate: _, ...own} = options
    return exemptMemory(kube, type, live, own)
  }
}

async function unblock(ports: Means, namespace: string, apps: Iterable<Applier>, error: unknown): Promise<Unblocked> {
  const exempted = new Map<string, string>()
  const failed = new Map<string, string>()
  if (!isBlocked(error)) return {exempted, failed}
  let obstacle: Obstacle | undefined
  for (const app of apps) {
    for (const {ref, uid} of app.entries) {
      const type = interceptorType(ref)
      if (type === undefined) continue
      const about = {app: app.name, object: refKey(ref)}
      try {
        const live = await ports.kube.get(type, ref, 'whole')
        if (live === 'absent' || labelOf(live, APP_LABEL) !== app.name) continue
        if (uid !== undefined && live.metadata.uid !== uid) continue
        obstacle ??= await obstacleOf(ports, namespace, error)
        const options = {obstacle, namespace, ...impersonatedUser(app)}
        if ((await exemptInSomeName(ports.kube, type, live, options)) === 'unchanged') continue
        const words = describeExemption(ref, namespace)
        exempted.set(app.name, words)
        ports.log('warn', `app ${app.name}: ${words}`, about)
      } catch (failure) {
        const words = `${formatRef(ref)} keeps the agent from writing what it must remember, so every app waits, and it cannot be kept from that: ${describeError(failure)}. Leave ${namespace} out of it, or delete it`
        failed.set(app.name, words)
        ports.log('warn', `app ${app.name}: ${words}`, about)
      }
    }
  }
  return {exempted, failed}
}
