import {mapBounded} from '#shared/async/map-bounded.ts'
import {API_VERSION} from '#shared/model/api-version.ts'
import type {DesiredState} from '#shared/model/desired-state.ts'
import {DrawbridgeError, describeError} from '#shared/model/drawbridge-error.ts'
import type {RefreshRequest} from '#shared/model/publish-request.ts'
import type {Sweep} from '#shared/model/push-event.ts'
import {entryOf} from '#shared/tracking/find-tracked.ts'
import {declarationKey} from './declaration-key.ts'
import {trackedKey} from './find-declarations.ts'
import {createOutcome, leaveRest, rangeOfOutcome, readAllDesired, renderHead} from './render-head.ts'
import type {RenderMemory} from './render-memory.ts'
import type {RenderConfig, RenderPorts} from './render-ports.ts'
import {resolveDeclaration} from './resolve-declarations.ts'
import {isSettled} from './settled-heads.ts'
import {tellUntracked} from './tell-untracked.ts'

const concurrentRepositories = 4

/**
 * Looks at every tracked repository and renders what differs from what clusters are told to run; where all is as it was when nothing
 * was left to do, only heads and tags are compared. Asks for new signatures on
 * desired states with less than half of their life left, and tells of apps whose declaration is tracked no more. One repository's failure is recorded and left to the next sweep.
 */
export async function sweepRepositories(
  ports: RenderPorts,
  config: RenderConfig,
  sweep: Sweep,
  memory: RenderMemory,
  deadline?: Date,
): Promise<void> {
  const desired = await readAllDesired(ports, memory)
  // First, so that no repository keeps a signature from being renewed.
  for (const {state} of desired.values()) {
    if (!needsRefresh(state, ports.clock.now())) continue
    const request: RefreshRequest = {
      apiVersion: API_VERSION,
      kind: 'RefreshRequest',
      cluster: state.cluster,
      trace: sweep.trace,
    }
    await ports.publishQueue.send(JSON.stringify(request))
  }
  await mapBounded(config.repositories, concurrentRepositories, async (tracked) => {
    try {
      const declaration = await resolveDeclaration(ports.git, tracked)
      const {trace} = sweep
      if (declaration === 'absent') return
      memory.heads.set(trackedKey(tracked), declaration)
      if (memory.isUnderWay(declaration, ports.clock.now())) return
      if (await isSettled(ports.git, memory, declaration, desired)) return
      if (deadline !== undefined && ports.clock.now() >= deadline) {
        await leaveRest(ports, memory, {head: declaration, rest: '', trace})
        return
      }
      const {policy} = entryOf(config.repositories, declaration) ?? {}
      const job = {declaration, policy, desired: Promise.resolve(desired), trace, memory, deadline}
      const {findings, warnings, requests, rest, settled} = await renderHead(ports, job)
      const outcome = createOutcome(ports, declaration, {findings, warnings}, trace, rangeOfOutcome('', rest))
      // A commit that failed for what is elsewhere (a branch that was missing, a name that was taken) may be well by now.
      const isMended = memory.isMended(outcome)
      const isNews = requests > 0 || findings.length > 0 || isMended
      if (isNews && !memory.isRepeated(outcome)) {
        await ports.outcomes.send(JSON.stringify(outcome))
        memory.remember(outcome)
      }
      if (settled !== undefined) memory.settled.set(declarationKey(declaration), settled)
    } catch (error) {
      ports.journal.record({
        event: 'failed',
        at: ports.clock.now().toISOString(),
        repository: tracked.url,
        code: error instanceof DrawbridgeError ? error.code : 'INTERNAL',
        message: `left to the next sweep: ${describeError(error)}`,
        traceparent: sweep.trace.traceparent,
      })
    }
  })
  await tellUntracked(ports, config, sweep, memory, desired)
}

function needsRefresh({issuedAt, expiresAt}: DesiredState, now: Date): boolean {
  const life = Date.parse(expiresAt) - Date.parse(issuedAt)
  return Date.parse(expiresAt) - now.getTime() < life / 2
}
