import type {Health} from '#shared/model/cluster-report.ts'
import {formatRef, type ObjectRef} from '#shared/model/object-ref.ts'
import type {AgentContext} from './agent-context.ts'
import type {AppState} from './app-state.ts'
import {FAILED_GRACE_MS} from './await-health.ts'
import {explainUnhealthy} from './explain-unhealthy.ts'
import {listSome} from './list-some.ts'
import {healthSeen} from './note-end.ts'
import {describeNoRollback, noteHealthy, rollBack} from './roll-back.ts'
import {setCondition} from './set-condition.ts'
import {tellEvent} from './tell-event.ts'
import {wakeDependents} from './wake-dependents.ts'
import {wasTold} from './was-told.ts'

const SHOWN = 3

/** Looks at one object of an app again; call `judgeApp` afterwards. */
export function judgeObject(ctx: Pick<AgentContext, 'live'>, app: AppState, key: string): void {
  const object = app.bundle?.objects.get(key)
  if (object === undefined) {
    app.unhealthy.delete(key)
    return
  }
  const live = healthSeen(ctx, app, key)
  if (live === undefined) app.unhealthy.set(key, {ref: object.ref, health: 'NotFound', reason: 'is not there'})
  else if (live.health === 'Current') {
    app.unhealthy.delete(key)
    app.explained.delete(key)
  } else {
    const explained = app.explained.get(key)
    const more = explained?.of === live.healthReason ? `: ${explained.words}` : ''
    app.unhealthy.set(key, {ref: object.ref, health: live.health, reason: `${live.healthReason}${more}`})
  }
}

/** Looks at all objects of an app again. */
export function judgeAll(ctx: Pick<AgentContext, 'live'>, app: AppState): void {
  app.judged = app.bundle !== undefined
  app.unhealthy.clear()
  for (const key of app.bundle?.objects.keys() ?? []) judgeObject(ctx, app, key)
}

/** The worst health of an app's objects; Unknown before they were looked at. */
export function healthOf(app: AppState): Health {
  if (app.bundle === undefined || !app.judged) return 'Unknown'
  const found = new Set([...app.unhealthy.values()].map(({health}) => health))
  for (const health of ['Failed', 'NotFound', 'Terminating', 'Unknown', 'InProgress'] as const)
    if (found.has(health)) return health
  return 'Current'
}

/** Begins to wait until all that was just applied is Current, for as long as the app says. */
export function beginWaiting(ctx: AgentContext, app: AppState, timeoutSeconds: number): void {
  endWaiting(app, 'due')
  app.wait = 'going-on'
  judgeAll(ctx, app)
  if (judgeApp(ctx, app) !== 'healthy') setDeadline(ctx, app, timeoutSeconds)
}

function setDeadline(ctx: AgentContext, app: AppState, timeoutSeconds: number): void {
  app.deadline = setTimeout(() => {
    app.deadline = undefined
    if (app.wait !== 'going-on' || ctx.signal.aborted) return
    endWaiting(app, 'over')
    void failExplained(ctx, app, () => `not healthy within ${timeoutSeconds} s: ${describeUnhealthy(app)}`)
  }, timeoutSeconds * 1000)
}

/** Stops to wait: it is over, or something comes between that it is due after. */
export function endWaiting(app: AppState, wait: 'due' | 'over'): void {
  clearTimeout(app.deadline)
  app.deadline = undefined
  clearTimeout(app.grace)
  app.grace = undefined
  app.wait = wait
  if (wait === 'due') app.describeFailure = undefined
}

/** Draws the conclusion from the health of an app's objects: tells when it becomes healthy, and when it fails. */
export function judgeApp(ctx: AgentContext, app: AppState): 'healthy' | 'not-healthy' {
  const {target} = app
  if (app.applying || app.settling || app.dependent) return 'not-healthy'
  if (target?.state !== 'present' || app.revision !== target.revision) return 'not-healthy'
  if (app.unhealthy.size > 0) {
    if (app.wait === 'over' && (app.condition.ready === 'True' || app.condition.reason === 'PruneFailed')) {
      // It got worse by itself: it has as long to recover as it had to become healthy.
      app.wait = 'going-on'
      setDeadline(ctx, app, target.sync.timeoutSeconds)
    }
    const failed = [...app.unhealthy.values()].filter(({health}) => health === 'Failed')
    const [lasting] = failed.filter(({ref}) => failsForGood(ref))
    if (failed.length === 0) {
      clearTimeout(app.grace)
      app.grace = undefined
    } else if (app.wait === 'going-on') app.grace ??= setTimeout(() => failIfStillFailed(ctx, app), FAILED_GRACE_MS)
    if (app.wait === 'going-on' && lasting !== undefined) {
      endWaiting(app, 'over')
      void failExplained(ctx, app, () => describeFailed(app))
    } else if (app.wait === 'going-on') {
      setCondition(ctx, app, 'Unknown', 'Progressing', describeUnhealthy(app))
    } else if (app.condition.reason === 'HealthCheckFailed' && app.describeFailure !== undefined) {
      setCondition(ctx, app, 'False', 'HealthCheckFailed', app.describeFailure())
    }
    ctx.changed()
    return 'not-healthy'
  }
  endWaiting(app, 'over')
  const was = app.condition.ready
  noteHealthy(ctx, app)
  if (app.rolledBack !== undefined) {
    const {revision, reason} = app.rolledBack
    const message = `runs ${target.revision}, held until something newer is published: ${revision} failed: ${reason}`
    setCondition(ctx, app, 'False', 'RolledBack', message)
    return 'healthy'
  }
  if (app.notice?.failed === true) {
    app.healthyRevision = undefined
    setCondition(ctx, app, 'False', 'PruneFailed', app.notice.message)
    return 'healthy'
  }
  const notices = [app.notice?.message, ...app.uncleared.values(), app.exempted].filter(
    (notice) => notice !== undefined,
  )
  const message = [`Applied revision: ${target.revision}`, ...notices].join('; ')
  setCondition(ctx, app, 'True', 'ReconciliationSucceeded', message)
  if (app.healthyRevision !== target.revision || was === 'False') {
    app.healthyRevision = target.revision
    app.toldProblems.clear()
    tellEvent(ctx, app, {
      event: 'healthy',
      at: ctx.ports.clock.now(),
      message: `${app.bundle?.objects.size ?? 0} object(s) are healthy`,
    })
  }
  wakeDependents(ctx, app)
  return 'healthy'
}

/** A workload is Failed only when its controller has given up; others, a Pod too, often are so of what is tried again at once. */
function failsForGood({group}: ObjectRef): boolean {
  return group === 'apps' || group === 'batch'
}

function failIfStillFailed(ctx: AgentContext, app: AppState): void {
  app.grace = undefined
  if (app.wait !== 'going-on' || ctx.signal.aborted || describeFailed(app) === '') return
  endWaiting(app, 'over')
  void failExplained(ctx, app, () => describeFailed(app))
}

/** Fails in the words of the pods, unless something newer is wanted or all is well by then. */
async function failExplained(ctx: AgentContext, app: AppState, describe: () => string): Promise<void> {
  const {target} = app
  await explainUnhealthy(ctx, app)
  for (const key of app.explained.keys()) judgeObject(ctx, app, key)
  const over = ctx.signal.aborted || app.target !== target || app.applying || app.wait !== 'over'
  if (!over && app.unhealthy.size > 0) failHealth(ctx, app, () => describe() || describeUnhealthy(app))
}

function describeFailed(app: AppState): string {
  return describeSome([...app.unhealthy.values()].filter(({health}) => health === 'Failed'))
}

function failHealth(ctx: AgentContext, app: AppState, describe: () => string): void {
  const message = describe()
  app.describeFailure = () => `${describe()}${describeNoRollback(app)}`
  setCondition(ctx, app, 'False', 'HealthCheckFailed', app.describeFailure())
  app.healthyRevision = undefined
  const code = 'HealthCheckFailed'
  if (!wasTold(ctx, app, {code, message}))
    tellEvent(ctx, app, {event: 'failed', at: ctx.ports.clock.now(), code, message})
  rollBack(ctx, app, message)
}

function describeUnhealthy(app: AppState): string {
  return describeSome([...app.unhealthy.values()])
}

function describeSome(unhealthy: readonly {ref: ObjectRef; reason: string}[]): string {
  return listSome(unhealthy, SHOWN, ({ref, reason}) => `${formatRef(ref)}: ${reason}`)
}
