import {describeError} from '#shared/model/drawbridge-error.ts'
import {formatRef} from '#shared/model/object-ref.ts'
import {comesToEnd} from '#shared/plan/judge-hook.ts'
import {type AgentContext, aboutApp} from './agent-context.ts'
import {impersonatedUser} from './app-state.ts'
import {RUN_ANNOTATION, runIdOf} from './hook-body.ts'
import {isKubeError} from './kube/kube-error.ts'
import {annotationsOf, type KubeObject} from './kube/kube-object.ts'
import {listSome} from './list-some.ts'
import type {PlannedHook, PlannedObject} from './plan-objects.ts'
import {readAs} from './read-as.ts'
import {type HookRun, recordOf, typeOf} from './run-hooks.ts'

const SHOWN = 5

/**
 * Deletes the hooks of a phase that came to their ends, where their delete policies say so. Call when the phase is over, as helm does: a hook
 * of it may need another, such as the account that it runs as. So nothing goes while a hook of the phase runs on, where something newer is
 * wanted or another hook failed. What an earlier agent left is deleted too; what is gone costs no request. What cannot be deleted is noted and
 * stops nothing: throws `KubeError` ABORTED only.
 */
export async function clearHooks(run: Omit<HookRun, 'signal'>): Promise<void> {
  const {ctx, bundle, phase} = run
  const due = [...bundle.hooks.values()].filter((hook) => isDue(run, hook))
  const failures: string[] = []
  const attempt = async <T>(what: string, task: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await task()
    } catch (error) {
      if (isKubeError(error, 'ABORTED')) throw error
      failures.push(`${what}: ${describeError(error)}`)
      return undefined
    }
  }
  const isOver = due.length === 0 || (await attempt(`${phase} hooks`, () => runsOn(run))) === false
  for (const hook of isOver ? due : []) {
    if (ctx.signal.aborted) return
    await attempt(formatRef(hook.object.ref), () => deleteHook(run, hook))
  }
  noteUncleared(run, failures)
}

/** What of SyncFail stays is only logged: its app has a failure to show already. */
function noteUncleared({ctx, app, phase}: Omit<HookRun, 'signal'>, failures: readonly string[]): void {
  const before = app.uncleared.get(phase)
  app.uncleared.delete(phase)
  if (failures.length === 0) return
  const shown = listSome(failures, SHOWN, (failure) => failure)
  const message = `not deleted as the hook-delete-policy says: ${shown}`
  if (phase !== 'SyncFail') app.uncleared.set(phase, message)
  if (before !== message) ctx.ports.log('warn', `app ${app.name}: ${message}`, aboutApp(app))
}

function isDue({ctx, app, bundle, phase}: Omit<HookRun, 'signal'>, {object, rules}: PlannedHook): boolean {
  const result = recordOf(app, bundle, object.key).results[phase]
  if (result === undefined) return false
  return rules.deletePolicies.includes(result === 'Succeeded' ? 'HookSucceeded' : 'HookFailed') && isThere(ctx, object)
}

function isThere({live}: Pick<AgentContext, 'live'>, {key}: PlannedObject): boolean {
  return live.get(key)?.terminating === false
}

/** Tells whether a hook of the phase was begun whose end is not noted. */
async function runsOn(run: Omit<HookRun, 'signal'>): Promise<boolean> {
  const {ctx, app, bundle, phase} = run
  for (const hook of bundle.hooks.values()) {
    const {object, rules} = hook
    if (!rules.phases.includes(phase) || !comesToEnd(object.ref) || !isThere(ctx, object)) continue
    const {results, formerUid} = recordOf(app, bundle, object.key)
    if (results[phase] !== undefined) continue
    const live = await readRun(run, hook)
    if (live !== 'absent' && live.metadata.uid !== formerUid) return true
  }
  return false
}

/** What was made of a hook for this bundle and phase: in another phase it runs anew. */
async function readRun(
  {ctx, app, bundle, phase}: Omit<HookRun, 'signal'>,
  hook: PlannedHook,
): Promise<KubeObject | 'absent'> {
  const live = await readAs(ctx, app, bundle.app, typeOf(hook), hook.object.ref, 'metadata')
  return live !== 'absent' && annotationsOf(live)[RUN_ANNOTATION] === runIdOf(bundle, phase) ? live : 'absent'
}

async function deleteHook(run: Omit<HookRun, 'signal'>, hook: PlannedHook): Promise<void> {
  const {ctx, bundle} = run
  const live = await readRun(run, hook)
  if (live === 'absent') return
  await ctx.ports.kube.delete(typeOf(hook), hook.object.ref, {
    uid: live.metadata.uid,
    propagation: 'Background',
    lastTry: ctx.signal,
    ...impersonatedUser(bundle.app),
  })
}
