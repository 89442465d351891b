import {describeError} from '#shared/model/drawbridge-error.ts'
import {isJsonObject} from '#shared/model/manifest.ts'
import {formatRef} from '#shared/model/object-ref.ts'
import {type AgentContext, aboutApp} from './agent-context.ts'
import {type AppliedEntry, type AppState, currentBundle, impersonatedUser} from './app-state.ts'
import {findServed} from './find-served.ts'
import {isKubeError} from './kube/kube-error.ts'
import {type KubeObject, labelOf} from './kube/kube-object.ts'
import {APP_LABEL} from './marks.ts'
import {declares} from './plan-objects.ts'

const kinds = new Set(['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'])

/**
 * A webhook that fails closed may keep the agent from writing its own memory, and then from deleting that very webhook. Where `error` tells of
 * one, and the app that it is of no longer declares it, its configuration is deleted ahead of all else: its entry in the inventory stays until the
 * memory can be written. Never rejects.
 */
export async function unblockMemory(ctx: AgentContext, error: unknown): Promise<void> {
  const webhook = isKubeError(error) ? error.details.webhook : undefined
  if (typeof webhook !== 'string') return
  for (const app of ctx.apps.values()) {
    for (const [key, entry] of app.inventory) {
      if (entry.ref.group !== 'admissionregistration.k8s.io' || !kinds.has(entry.ref.kind)) continue
      if (ctx.signal.aborted || !isGoing(app, key)) continue
      try {
        if (!(await deleteIfIts(ctx, app, entry, webhook))) continue
        const what = `deleted ${formatRef(entry.ref)} ahead of all else: its webhook ${webhook} kept the agent from writing what it knows`
        ctx.ports.log('warn', `app ${app.name}: ${what}`, aboutApp(app, key))
      } catch (failure) {
        ctx.ports.log('warn', `app ${app.name}: ${describeError(failure)}`, aboutApp(app, key))
      }
    }
  }
}

/** Whether a prune or a removal would delete it by now. */
function isGoing(app: AppState, key: string): boolean {
  const {target} = app
  if (target?.state === 'removed') return target.deletionPolicy !== 'Orphan'
  const bundle = currentBundle(app)
  return bundle?.app.sync.prune === true && !declares(bundle, key)
}

async function deleteIfIts(ctx: AgentContext, app: AppState, entry: AppliedEntry, webhook: string): Promise<boolean> {
  const {kube} = ctx.ports
  const type = await findServed(ctx, entry)
  if (type === undefined) return false
  const live = await kube.get(type, entry.ref, 'whole')
  if (live === 'absent' || live.metadata.uid !== entry.uid || labelOf(live, APP_LABEL) !== app.name) return false
  if (!names(live).includes(webhook)) return false
  const {uid} = live.metadata
  await kube.delete(type, entry.ref, {uid, propagation: 'Background', lastTry: ctx.signal, ...impersonatedUser(app)})
  return true
}

function names({webhooks}: KubeObject): unknown[] {
  return Array.isArray(webhooks) ? webhooks.filter(isJsonObject).map(({name}) => name) : []
}
