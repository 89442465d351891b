import type {ContinueRender} from '#shared/model/push-event.ts'
import {sameRepository} from '#shared/model/repository-url.ts'
import {shortRef} from '#shared/model/revision.ts'
import {entryOf} from '#shared/tracking/find-tracked.ts'
import type {Head} from './open-sources.ts'
import {createOutcome, rangeOfOutcome, readAllDesired, renderHead} from './render-head.ts'
import type {RenderMemory} from './render-memory.ts'
import type {RenderConfig, RenderPorts} from './render-ports.ts'
import {resolveDeclaration} from './resolve-declarations.ts'

/**
 * Goes on with a declaration where an earlier run ended, unless it has moved on since. Rejects with what a retry may mend.
 */
export async function continueRender(
  ports: RenderPorts,
  config: RenderConfig,
  message: ContinueRender,
  memory: RenderMemory,
  deadline?: Date,
): Promise<void> {
  const {from, trace} = message
  const desired = readAllDesired(ports, memory)
  // Awaited later, or never: a rejection must not end the process meanwhile.
  desired.catch(() => undefined)
  const declaration = await findDeclaration(ports, config, message)
  if (declaration === undefined) {
    ports.journal.record({
      event: 'skipped',
      at: ports.clock.now().toISOString(),
      repository: message.declaredIn.repository,
      ref: message.declaredIn.ref,
      commit: message.commit,
      code: 'SUPERSEDED',
      message: `the rest of it is not rendered: ${shortRef(message.declaredIn.ref)} has moved on, or is not tracked any more`,
      traceparent: trace.traceparent,
    })
    return
  }
  const {policy} = entryOf(config.repositories, declaration) ?? {}
  const job = {declaration, policy, desired, trace, memory, from, deadline}
  const {findings, warnings, rest, transient} = await renderHead(ports, job)
  const outcome = createOutcome(ports, declaration, {findings, warnings}, trace, rangeOfOutcome(from, rest))
  await ports.outcomes.send(JSON.stringify(outcome))
  memory.remember(outcome)
  // Where a rest was left, this message is done: delivered again it would leave another one. The sweep finds what failed.
  if (transient !== undefined && rest === undefined) throw transient
}

/** The declaration, where it is tracked and still at the commit. */
async function findDeclaration(
  {git}: RenderPorts,
  {repositories}: RenderConfig,
  {declaredIn, commit}: ContinueRender,
): Promise<Head | undefined> {
  for (const tracked of repositories) {
    if (!sameRepository(tracked.url, declaredIn.repository)) continue
    const head = await resolveDeclaration(git, tracked)
    if (head !== 'absent' && head.ref === declaredIn.ref && head.commit === commit) return head
  }
  return undefined
}
