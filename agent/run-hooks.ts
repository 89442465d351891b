import {setTimeout as sleep} from 'node:timers/promises'
import {formatRef, type ObjectRef} from '#shared/model/object-ref.ts'
import type {HookRecord} from '#shared/plan/inventory.ts'
import {comesToEnd, type HookProgress, judgeHook} from '#shared/plan/judge-hook.ts'
import type {SyncPhase} from '#shared/plan/read-hook.ts'
import {type AgentContext, dropEntry, keepEntry} from './agent-context.ts'
import {AppFailure, asApplyFailure} from './app-failure.ts'
import {type AppliedEntry, type AppState, impersonatedUser, type LoadedBundle} from './app-state.ts'
import {deleteAndAwait} from './delete-and-await.ts'
import {bundleId, releaseOf} from './first-install.ts'
import {bodyOf, isHurried, RUN_ANNOTATION, runIdOf} from './hook-body.ts'
import {judgeOwner} from './judge-owner.ts'
import {apiVersionOf, type ResourceType} from './kube/kube-client.ts'
import {isKubeError} from './kube/kube-error.ts'
import {annotationsOf, type KubeObject, labelOf} from './kube/kube-object.ts'
import {APP_LABEL, FIELD_MANAGER} from './marks.ts'
import {isFormerRunOf, type PlannedHook, parseBody} from './plan-objects.ts'
import {readAs} from './read-as.ts'
import {saveInventory} from './save-inventory.ts'

const MAX_REASON_LENGTH = 1_000
/** How far the watch may be behind what a read says. */
const WATCH_LAG_MS = 2_000

/** One reconcile's view of an app's hooks. */
export interface HookRun {
  ctx: AgentContext
  app: AppState
  bundle: LoadedBundle
  phase: SyncPhase
  /** Ends the wait: something newer is wanted. */
  signal: AbortSignal
}

/**
 * The hooks of a phase that are part of this release and have not succeeded for this bundle; of those of SyncFail the ones that have not ended.
 * Where there are any, those that only have to be there are among them: they may be gone by their delete policy.
 */
export function pendingHooks(
  {app, bundle, phase}: Omit<HookRun, 'ctx' | 'signal'>,
  hooks: readonly PlannedHook[],
): PlannedHook[] {
  const release = releaseOf(app, bundle)
  const due = hooks.filter(({rules}) => (rules.only?.[phase] ?? release) === release)
  const isPending = ({object}: PlannedHook): boolean => {
    const result = recordOf(app, bundle, object.key).results[phase]
    return result === undefined || (result === 'Failed' && phase !== 'SyncFail')
  }
  return due.some(isPending) ? due.filter((hook) => isPending(hook) || !comesToEnd(hook.object.ref)) : []
}

/**
 * Throws `AppFailure` HOOK_FAILED, with the cause, where a hook failed for this bundle: it is not run again before something else is
 * published, or somebody asks for it. Then what is left of its run counts as an earlier one.
 */
export function requireNotFailed(run: HookRun, hook: PlannedHook): void {
  const {ctx, app, bundle, phase} = run
  const {reason = 'it failed', ...record} = recordOf(app, bundle, hook.object.key)
  const {[phase]: result, ...others} = record.results
  if (result !== 'Failed') return
  if (!app.asked) throw failure(run, hook, reason, {settled: true})
  const uid = app.inventory.get(hook.object.key)?.uid
  const renewed = {...record, results: others, ...(uid === undefined ? {} : {formerUid: uid})}
  note({ctx, app, bundle}, hook, uid, renewed)
}

/** Begins a hook: what is left of its last run is deleted where its delete policy says so. One that was begun already is left to run. */
export async function beginHook(run: HookRun, hook: PlannedHook): Promise<void> {
  const {ctx, app, bundle, phase} = run
  const {kube} = ctx.ports
  const {object, rules} = hook
  const {ref} = object
  const type = typeOf(hook)
  const verdict = await judgeOwner(ctx, app, object)
  if (verdict !== 'ours')
    throw new AppFailure(verdict.outage ? 'CLUSTER_UNAVAILABLE' : 'OWNED_BY_OTHER', verdict.refused)
  const live = await readAs(ctx, app, bundle.app, type, ref, 'metadata').catch((error: unknown) => {
    throw asApplyFailure(error)
  })
  const runId = runIdOf(bundle, phase)
  if (live !== 'absent') {
    const {formerUid} = recordOf(app, bundle, object.key)
    if (annotationsOf(live)[RUN_ANNOTATION] === runId && live.metadata.uid !== formerUid) {
      note(run, hook, live.metadata.uid)
      return
    }
    requireOwn(run, hook, live)
    const isReplaced = rules.deletePolicies.includes('BeforeHookCreation') || hook.generateName !== undefined
    if (isReplaced || (await isLeftOver(run, hook, type))) await deleteLastRun(run, hook, type, ref, live)
  }
  await endFormerRuns(run, hook, type)
  if (run.signal.aborted || ctx.signal.aborted) return
  const answer = await kube
    .apply(type, ref, bodyOf(object, runId, 'running'), {
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

/** Waits for a hook's end, and notes it in the cluster. */
export async function finishHook(run: HookRun, hook: PlannedHook): Promise<void> {
  const {ctx, app, bundle, phase} = run
  const progress = await awaitEnd(run, hook)
  if (progress === 'stopped') return
  const record = recordOf(app, bundle, hook.object.key)
  const state = progress.state === 'Succeeded' ? 'Succeeded' : 'Failed'
  const why = state === 'Failed' ? {reason: progress.reason.slice(0, MAX_REASON_LENGTH)} : {}
  const results = {...record.results, [phase]: state}
  note(run, hook, app.inventory.get(hook.object.key)?.uid, {...record, ...why, results})
  await saveInventory(ctx, app)
  await leaveToTtl(run, hook)
  if (state === 'Failed') throw failure(run, hook, progress.reason, {settled: true})
}

/**
 * What a stop at any instruction may leave of a hook is in the inventory before its first request. What there is of its earlier runs is no
 * longer told to be of their bundles: should one of those come back, the hook runs again.
 */
export function noteHook(run: Omit<HookRun, 'signal' | 'phase'>, hook: PlannedHook): void {
  const {ctx, app, bundle} = run
  const {key} = hook.object
  const known = app.inventory.get(key)
  const record = recordOf(app, bundle, key)
  const formerUid = hook.generateName === undefined || known?.hook === record ? undefined : known?.uid
  note(run, hook, known?.uid, formerUid === undefined ? record : {...record, formerUid})
  for (const [formerKey, entry] of formerRuns(run, hook)) {
    if (entry.hook?.bundle === bundleId(bundle)) continue
    keepEntry(ctx, app, formerKey, {...entry, hook: {bundle: bundleId(bundle), results: {}}})
  }
}

function formerRuns({app, bundle}: Pick<HookRun, 'app' | 'bundle'>, hook: PlannedHook): [string, AppliedEntry][] {
  if (hook.generateName === undefined) return []
  return [...app.inventory].filter(([, entry]) => entry.hook !== undefined && isFormerRunOf(bundle, hook, entry.ref))
}

/** Deletes the earlier runs of a hook with a generateName where its delete policy says so, and forgets those that are gone. */
async function endFormerRuns(run: HookRun, hook: PlannedHook, type: ResourceType): Promise<void> {
  const {ctx, app} = run
  for (const [key, {ref, uid}] of formerRuns(run, hook)) {
    if (run.signal.aborted || ctx.signal.aborted) return
    const live = await readAs(ctx, app, run.bundle.app, type, ref, 'metadata')
    const isOurs = live !== 'absent' && (labelOf(live, APP_LABEL) === app.name || live.metadata.uid === uid)
    if (isOurs && !hook.rules.deletePolicies.includes('BeforeHookCreation')) continue
    if (isOurs) await deleteLastRun(run, hook, type, ref, live)
    if (!run.signal.aborted && !ctx.signal.aborted) dropEntry(ctx, app, key)
  }
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

/** How a hook went for a bundle. */
export function recordOf(app: AppState, bundle: LoadedBundle, key: string): HookRecord {
  const known = app.inventory.get(key)?.hook
  return known?.bundle === bundleId(bundle) ? known : {bundle: bundleId(bundle), results: {}}
}

async function awaitEnd(run: HookRun, hook: PlannedHook): Promise<HookProgress | 'stopped'> {
  const {ctx, app, bundle, signal} = run
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
      const live = await readAs(ctx, app, bundle.app, type, ref, 'whole')
      if (live === 'absent') return awaitSeenEnd(run, key)
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

/** What is gone is judged by the last that the watch saw of it, which may be behind. */
async function awaitSeenEnd({ctx, app, signal}: HookRun, key: string): Promise<HookProgress | 'stopped'> {
  const uid = app.inventory.get(key)?.uid
  const giveUpAt = performance.now() + WATCH_LAG_MS
  while (!signal.aborted && !ctx.signal.aborted) {
    const end = uid === undefined ? undefined : ctx.live.endOf(uid)
    if (end !== undefined) return end
    if (performance.now() > giveUpAt) break
    await sleep(20)
  }
  if (signal.aborted || ctx.signal.aborted) return 'stopped'
  return {state: 'Failed', reason: 'it was deleted before it came to its end'}
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

/**
 * Tells whether an earlier run should be gone by its delete policy, and only a stop kept it there. What failed and may not be deleted would
 * count as failed before it began: throws `AppFailure` HOOK_FAILED.
 */
async function isLeftOver(run: HookRun, hook: PlannedHook, type: ResourceType): Promise<boolean> {
  const live = await readAs(run.ctx, run.app, run.bundle.app, type, hook.object.ref, 'whole')
  if (live === 'absent') return false
  const {state} = progressOf(run, type, live)
  const {deletePolicies} = hook.rules
  if (state === 'Succeeded') return deletePolicies.includes('HookSucceeded')
  if (state === 'Running') return false
  if (deletePolicies.includes('HookFailed')) return true
  const reason =
    'it failed in an earlier run and is still there, since its delete policy keeps it; delete it, or add BeforeHookCreation to its delete policy'
  throw failure(run, hook, reason)
}

async function deleteLastRun(
  run: HookRun,
  hook: PlannedHook,
  type: ResourceType,
  ref: ObjectRef,
  live: KubeObject,
): Promise<void> {
  const {ctx, bundle, signal} = run
  const left = await deleteAndAwait(ctx.ports.kube, {
    type,
    ref,
    uid: live.metadata.uid,
    timeoutSeconds: bundle.app.sync.timeoutSeconds,
    lastTry: ctx.signal,
    signal: AbortSignal.any([signal, ctx.signal]),
    ...impersonatedUser(bundle.app),
  })
  if (left !== 'gone' && left !== 'stopped') throw failure(run, hook, 'what is left of its last run does not go')
}

/** The type of a hook; throws `AppFailure` where the cluster serves none. */
export function typeOf({object}: PlannedHook): ResourceType {
  if (object.type !== undefined) return object.type
  throw new AppFailure('APPLY_FAILED', `${formatRef(object.ref)}: the cluster serves no such kind`)
}

/** Lets what came to its end go by its own TTL. One that is gone by then is not made again: the server finds no object of that uid. */
async function leaveToTtl(run: HookRun, hook: PlannedHook): Promise<void> {
  const {ctx, app, bundle, phase} = run
  const {object} = hook
  const uid = app.inventory.get(object.key)?.uid
  if (!isHurried(parseBody(object)) || uid === undefined || ctx.live.get(object.key)?.uid !== uid) return
  try {
    await ctx.ports.kube.apply(typeOf(hook), object.ref, bodyOf(object, runIdOf(bundle, phase), 'ended', uid), {
      fieldManager: FIELD_MANAGER,
      force: true,
      detail: 'metadata',
      lastTry: ctx.signal,
      ...impersonatedUser(bundle.app),
    })
  } catch (error) {
    if (!isKubeError(error, 'CONFLICT', 'NOT_FOUND')) throw error
  }
}

/** `settled`: it will not be run again by itself. */
function failure({phase}: HookRun, {object}: PlannedHook, reason: string, details: {settled?: true} = {}): AppFailure {
  return new AppFailure('HOOK_FAILED', `${phase} hook ${formatRef(object.ref)}: ${reason}`, details)
}
