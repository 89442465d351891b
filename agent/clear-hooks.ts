import {impersonatedUser} from './app-state.ts'
import {RUN_ANNOTATION, runIdOf} from './hook-body.ts'
import type {ResourceType} from './kube/kube-client.ts'
import {annotationsOf} from './kube/kube-object.ts'
import type {PlannedHook} from './plan-objects.ts'
import {readAs} from './read-as.ts'
import {type HookRun, recordOf, typeOf} from './run-hooks.ts'

/**
 * Deletes the hooks of a phase that came to their ends, where their delete policies say so. Call when the phase is over, as helm does: a hook
 * of it may need another, such as the account that it runs as. What an earlier agent left is deleted too; what is gone costs no request.
 */
export async function clearHooks(run: Omit<HookRun, 'signal'>): Promise<void> {
  const {ctx, app, bundle, phase} = run
  for (const hook of bundle.hooks.values()) {
    const {object, rules} = hook
    const result = recordOf(app, bundle, object.key).results[phase]
    if (result === undefined || !rules.deletePolicies.includes(result === 'Succeeded' ? 'HookSucceeded' : 'HookFailed'))
      continue
    if (ctx.signal.aborted) return
    const seen = ctx.live.get(object.key)
    if (seen === undefined || seen.terminating) continue
    const type = typeOf(hook)
    const live = await readAs(ctx, app, bundle.app, type, object.ref, 'metadata')
    // In another phase it runs anew.
    const isOfPhase = live !== 'absent' && annotationsOf(live)[RUN_ANNOTATION] === runIdOf(bundle, phase)
    if (isOfPhase) await deleteHook(run, hook, type, live.metadata.uid)
  }
}

async function deleteHook(
  {ctx, bundle}: Pick<HookRun, 'ctx' | 'bundle'>,
  {object}: PlannedHook,
  type: ResourceType,
  uid: string,
): Promise<void> {
  await ctx.ports.kube.delete(type, object.ref, {
    uid,
    propagation: 'Background',
    lastTry: ctx.signal,
    ...impersonatedUser(bundle.app),
  })
}
