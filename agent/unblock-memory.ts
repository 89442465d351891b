import {describeError} from '#shared/model/drawbridge-error.ts'
import {isJsonObject, type JsonObject} from '#shared/model/manifest.ts'
import {formatRef, type ObjectRef, refKey} from '#shared/model/object-ref.ts'
import {type AgentContext, type AgentPorts, aboutApp} from './agent-context.ts'
import {type AppliedEntry, type AppState, impersonatedUser, type LoadedBundle} from './app-state.ts'
import {describeExemption, exemptMemory, interceptorType, isExempt, type Obstacle} from './exempt-memory.ts'
import type {StoredInventory} from './inventory-store.ts'
import {isHeldUp, isKubeError, type KubeError} from './kube/kube-error.ts'
import {labelOf} from './kube/kube-object.ts'
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
  const exempted = await unblock(ctx.ports, namespace, apps, error)
  for (const [name, ref] of exempted) {
    const app = ctx.apps.get(name)
    if (app === undefined) continue
    app.exempted = describeExemption(ref, namespace)
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

async function unblock(
  ports: Means,
  namespace: string,
  apps: Iterable<Applier>,
  error: unknown,
): Promise<Map<string, ObjectRef>> {
  const exempted = new Map<string, ObjectRef>()
  if (!isBlocked(error)) return exempted
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
        if ((await exemptMemory(ports.kube, type, live, options)) === 'unchanged') continue
        exempted.set(app.name, ref)
        ports.log('warn', `app ${app.name}: ${describeExemption(ref, namespace)}`, about)
      } catch (failure) {
        const what = `${formatRef(ref)} cannot be kept from stopping the agent: ${describeError(failure)}`
        ports.log('warn', `app ${app.name}: ${what}`, about)
      }
    }
  }
  return exempted
}
