import {setTimeout as sleep} from 'node:timers/promises'
import {stringifyExact} from '#shared/bundle/exact-json.ts'
import {isJsonObject} from '#shared/model/manifest.ts'
import {formatRef} from '#shared/model/object-ref.ts'
import type {HookRecord} from '#shared/plan/inventory.ts'
import {type HookProgress, judgeHook} from '#shared/plan/judge-hook.ts'
import type {SyncPhase} from '#shared/plan/read-hook.ts'
import {type AgentContext, keepEntry} from './agent-context.ts'
import {AppFailure, asApplyFailure} from './app-failure.ts'
import {type AppState, impersonatedUser, type LoadedBundle} from './app-state.ts'
import {deleteAndAwait} from './delete-and-await.ts'
import {judgeOwner} from './judge-owner.ts'
import {apiVersionOf, type ResourceType} from './kube/kube-client.ts'
import {annotationsOf, type KubeObject, labelOf} from './kube/kube-object.ts'
import {APP_LABEL, FIELD_MANAGER} from './marks.ts'
import {type PlannedHook, type PlannedObject, parseBody} from './plan-objects.ts'
import {saveInventory} from './save-inventory.ts'

/** Says for which bundle and phase a hook was begun, so that a restarted agent goes on to wait for it. */
const RUN_ANNOTATION = 'drawbridge.dev/hook-run'

/** One reconcile's view of an app's hooks. */
export interface HookRun {
  ctx: AgentContext
  app: AppState
  bundle: LoadedBundle
  phase: SyncPhase
  /** Ends the wait: something newer is wanted. */
  signal: AbortSignal
}

/** The hooks of a stage that have not succeeded for this bundle; of those of SyncFail the ones that have not ended. */
export function pendingHooks(
  {app, bundle, phase}: Omit<HookRun, 'ctx' | 'signal'>,
  hooks: PlannedHook[],
): PlannedHook[] {
  return hooks.filter(({object}) => {
    const result = recordOf(app, bundle, object.key).results[phase]
    return result === undefined || (result === 'Failed' && phase !== 'SyncFail')
  })
}

/** Throws `AppFailure` HOOK_FAILED where a hook failed for this bundle: it is not run again before something else is published. */
export function requireNotFailed(run: HookRun, hook: PlannedHook): void {
  if (recordOf(run.app, run.bundle, hook.object.key).results[run.phase] === 'Failed') {
    throw failure(run, hook, 'it failed; it runs again with the next bundle')
  }
}

/** Begins a hook: what is left of its last run is deleted where its delete policy says so. One that was begun already is left to run. */
export async function beginHook(run: HookRun, hook: PlannedHook): Promise<void> {
  const {ctx, app, bundle, phase} = run
  const {kube} = ctx.ports
  const {object, rules} = hook
  const {ref} = object
  const type = typeOf(hook)
  const verdict = judgeOwner(ctx, app, object)
  if (verdict !== 'ours') throw new AppFailure('OWNED_BY_OTHER', verdict.refused)
  const live = await kube.get(type, ref, 'metadata')
  const runId = `${bundleId(bundle)}.${phase}`
  if (live !== 'absent') {
    if (annotationsOf(live)[RUN_ANNOTATION] === runId) return
    requireOwn(run, hook, live)
    if (rules.deletePolicies.includes('BeforeHookCreation')) await deleteLastRun(run, hook, type, live)
    else await refuseFailed(run, hook, type)
  }
  if (run.signal.aborted || ctx.signal.aborted) return
  const answer = await kube
    .apply(type, ref, annotated(object, runId), {
      fieldManager: FIELD_MANAGER,
      force: true,
      detail: 'metadata',
      lastTry: ctx.signal,
      ...impersonatedUser(bundle.app),
    })
    .catch((error: unknown) => {
      throw asApplyFailure(error)
    })
  note(run, hook, ctx.live.note(type, answer).uid)
}

/** Waits for a hook's end, notes it in the cluster, then deletes the hook where its delete policy says so. */
export async function finishHook(run: HookRun, hook: PlannedHook): Promise<void> {
  const {ctx, app, bundle, phase} = run
  const progress = await awaitEnd(run, hook)
  if (progress === 'stopped') return
  const record = recordOf(app, bundle, hook.object.key)
  const state = progress.state === 'Succeeded' ? 'Succeeded' : 'Failed'
  note(run, hook, app.inventory.get(hook.object.key)?.uid, {...record, results: {...record.results, [phase]: state}})
  await saveInventory(ctx, app)
  if (hook.rules.deletePolicies.includes(state === 'Succeeded' ? 'HookSucceeded' : 'HookFailed')) {
    await deleteHook(run, hook, typeOf(hook), app.inventory.get(hook.object.key)?.uid)
  }
  if (state === 'Failed') throw failure(run, hook, progress.reason)
}

/** What a stop at any instruction may leave of a hook is in the inventory before its first request. */
export function noteHook(run: Omit<HookRun, 'signal' | 'phase'>, {object}: PlannedHook): void {
  note(run, {object}, run.app.inventory.get(object.key)?.uid)
}

function note(
  {ctx, app, bundle}: Omit<HookRun, 'signal' | 'phase'>,
  {object}: Pick<PlannedHook, 'object'>,
  uid: string | undefined,
  hook: HookRecord = recordOf(app, bundle, object.key),
): void {
  const {ref, apiVersion, key} = object
  const entry = {ref, version: apiVersion, applied: '', fields: '', hook}
  keepEntry(ctx, app, key, uid === undefined ? entry : {...entry, uid})
}

function recordOf(app: AppState, bundle: LoadedBundle, key: string): HookRecord {
  const known = app.inventory.get(key)?.hook
  return known?.bundle === bundleId(bundle) ? known : {bundle: bundleId(bundle), results: {}}
}

function bundleId({app}: LoadedBundle): string {
  return app.bundle.digest.slice('sha256:'.length, 'sha256:'.length + 16)
}

async function awaitEnd(run: HookRun, hook: PlannedHook): Promise<HookProgress | 'stopped'> {
  const {ctx, bundle, signal} = run
  const {ref, key} = hook.object
  const type = typeOf(hook)
  const {timeoutSeconds} = bundle.app.sync
  const giveUpAt = performance.now() + timeoutSeconds * 1000
  let seen: string | undefined
  let reason = 'has not begun'
  while (!signal.aborted && !ctx.signal.aborted) {
    const version = ctx.live.get(key)?.resourceVersion ?? ''
    if (version !== seen) {
      seen = version
      const live = await ctx.ports.kube.get(type, ref, 'whole')
      if (live === 'absent') return {state: 'Failed', reason: 'it was deleted before it came to its end'}
      const progress = progressOf(run, type, live)
      if (progress.state !== 'Running') return progress
      reason = progress.reason
    }
    if (performance.now() > giveUpAt)
      return {state: 'Failed', reason: `not through within ${timeoutSeconds} s: ${reason}`}
    await sleep(20)
  }
  return 'stopped'
}

function progressOf({ctx}: HookRun, type: ResourceType, live: KubeObject): HookProgress {
  return judgeHook({...live, apiVersion: apiVersionOf(type), kind: type.kind}, {now: ctx.ports.clock.now()})
}

/** What neither this app nor another tool's run of the same hook made is not deleted. */
function requireOwn({app}: HookRun, {object}: PlannedHook, live: KubeObject): void {
  const annotations = annotationsOf(live)
  const isHook = 'helm.sh/hook' in annotations || 'argocd.argoproj.io/hook' in annotations
  const ours = labelOf(live, APP_LABEL) === app.name || app.inventory.get(object.key)?.uid === live.metadata.uid
  if (ours || isHook) return
  throw new AppFailure(
    'OWNED_BY_OTHER',
    `${formatRef(object.ref)} is there, and is neither of app ${app.name} nor a hook; rename the hook, or delete it`,
  )
}

/** What failed in an earlier run and may not be deleted would count as failed before it began. */
async function refuseFailed(run: HookRun, hook: PlannedHook, type: ResourceType): Promise<void> {
  const live = await run.ctx.ports.kube.get(type, hook.object.ref, 'whole')
  if (live === 'absent' || progressOf(run, type, live).state !== 'Failed') return
  const reason =
    'it failed in an earlier run and is still there, since its delete policy keeps it; delete it, or add BeforeHookCreation to its delete policy'
  throw failure(run, hook, reason)
}

async function deleteLastRun(run: HookRun, hook: PlannedHook, type: ResourceType, live: KubeObject): Promise<void> {
  const {ctx, bundle, signal} = run
  const left = await deleteAndAwait(ctx.ports.kube, {
    type,
    ref: hook.object.ref,
    uid: live.metadata.uid,
    timeoutSeconds: bundle.app.sync.timeoutSeconds,
    lastTry: ctx.signal,
    signal: AbortSignal.any([signal, ctx.signal]),
    ...impersonatedUser(bundle.app),
  })
  if (left !== 'gone' && left !== 'stopped') throw failure(run, hook, 'what is left of its last run does not go')
}

async function deleteHook(
  {ctx, bundle}: HookRun,
  {object}: PlannedHook,
  type: ResourceType,
  uid: string | undefined,
): Promise<void> {
  await ctx.ports.kube.delete(type, object.ref, {
    ...(uid === undefined ? {} : {uid}),
    propagation: 'Background',
    lastTry: ctx.signal,
    ...impersonatedUser(bundle.app),
  })
}

function typeOf({object}: PlannedHook): ResourceType {
  if (object.type !== undefined) return object.type
  throw new AppFailure('APPLY_FAILED', `${formatRef(object.ref)}: the cluster serves no such kind`)
}

function annotated(object: PlannedObject, runId: string): string {
  const manifest = parseBody(object)
  const metadata = isJsonObject(manifest.metadata) ? manifest.metadata : {}
  const annotations = isJsonObject(metadata.annotations) ? metadata.annotations : {}
  return stringifyExact({
    ...manifest,
    metadata: {...metadata, annotations: {...annotations, [RUN_ANNOTATION]: runId}},
  })
}

function failure({phase}: HookRun, {object}: PlannedHook, reason: string): AppFailure {
  return new AppFailure('HOOK_FAILED', `${phase} hook ${formatRef(object.ref)}: ${reason}`)
}
