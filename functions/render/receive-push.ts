import type {JournalEvent} from '#shared/model/journal-event.ts'
import type {PushEvent} from '#shared/model/push-event.ts'
import {shortRef} from '#shared/model/revision.ts'
import {SourceError} from '#shared/ports/source-error.ts'
import {entryOf} from '#shared/tracking/find-tracked.ts'
import {declarationKey} from './declaration-key.ts'
import {findDeclarations, isPushed} from './find-declarations.ts'
import type {Head} from './open-sources.ts'
import {
  createOutcome,
  type HeadJob,
  type HeadOutcome,
  leaveRest,
  rangeOfOutcome,
  readAllDesired,
  renderHead,
} from './render-head.ts'
import type {RenderMemory} from './render-memory.ts'
import type {RenderConfig, RenderPorts} from './render-ports.ts'
import {isSettled} from './settled-heads.ts'

/**
 * Renders what a push may have changed: the declarations at its ref, and those with an app whose source it is. The ref's head is
 * what counts, so a push that was overtaken leads to the newer commit. What is not rendered by the deadline is left to messages of
 * its own. Rejects with what a retry may mend.
 */
export async function receivePush(
  ports: RenderPorts,
  config: RenderConfig,
  event: PushEvent,
  memory: RenderMemory,
  deadline?: Date,
): Promise<void> {
  const desired = readAllDesired(ports, memory)
  // Awaited later, or never: a rejection must not end the process meanwhile.
  desired.catch(() => undefined)
  const declarations = await findDeclarations(ports, config, event, memory, (message) => skip(ports, event, message))
  if (declarations.length === 0) {
    skip(ports, event, `${shortRef(event.ref)} is not a ref that any tracked drawbridge.yaml is at or names`)
    return
  }
  const pushed = declarations.find((head) => isPushed(head, event)) ?? (await resolvePushed(ports, event))
  if (event.after !== undefined && pushed !== undefined && pushed.commit !== event.after) {
    skip(ports, event, `superseded by ${pushed.commit}`)
  }
  const outcomes: HeadOutcome[] = []
  for (const declaration of declarations) {
    const {trace} = event
    if (outcomes.length > 0 && deadline !== undefined && ports.clock.now() >= deadline) {
      await leaveRest(ports, memory, {head: declaration, rest: '', trace})
      continue
    }
    const {policy} = entryOf(config.repositories, declaration) ?? {}
    const job = {declaration, policy, desired, trace, memory, deadline}
    const isDone = await isSettled(ports.git, memory, declaration, await desired)
    outcomes.push(isDone ? nothingToDo(memory, declaration) : await renderCurrentHead(ports, job))
  }
  const about = pushed ?? declarations[0]
  if (about === undefined) return
  const findings = outcomes.flatMap((outcome) => outcome.findings)
  const warnings = outcomes.flatMap((outcome) => outcome.warnings)
  const [only, ...others] = outcomes
  const isOwn = only !== undefined && others.length === 0 && isPushed(only.head, event)
  const range = isOwn ? rangeOfOutcome('', only.rest) : undefined
  const outcome = createOutcome(ports, about, {findings, warnings}, event.trace, range)
  await ports.outcomes.send(JSON.stringify(outcome))
  memory.remember(outcome)
  for (const {head, settled} of outcomes) if (settled !== undefined) memory.settled.set(declarationKey(head), settled)
  const requests = outcomes.reduce((sum, each) => sum + each.requests, 0)
  if (requests === 0 && findings.length === 0) skip(ports, event, 'changes nothing in any cluster')
  const transient = outcomes.find((each) => each.transient !== undefined)?.transient
  // Where a rest was left, this message is done: delivered again it would leave another one. The sweep finds what failed.
  const isLeft = outcomes.some(({rest}) => rest !== undefined)
  if (transient !== undefined && !isLeft) throw transient
}

function nothingToDo(memory: RenderMemory, head: Head): HeadOutcome {
  const warnings = memory.settled.get(declarationKey(head))?.warnings ?? []
  return {head, findings: [], warnings, requests: 0, transient: undefined, rest: undefined}
}

/** Renders a head; where the commit vanished meanwhile (a forced push), the new head once. */
async function renderCurrentHead(ports: RenderPorts, job: HeadJob): Promise<HeadOutcome> {
  try {
    return await renderHead(ports, job)
  } catch (error) {
    if (!(error instanceof SourceError && error.code === 'COMMIT_GONE')) throw error
    const {repository, ref} = job.declaration
    const resolved = await ports.git.resolveRef(repository, ref)
    if (resolved === 'absent' || resolved.commit === job.declaration.commit) throw error
    return renderHead(ports, {...job, declaration: {repository, ref, commit: resolved.commit}})
  }
}

async function resolvePushed(ports: RenderPorts, event: PushEvent): Promise<Head | undefined> {
  const resolved = await ports.git.resolveRef(event.repository, event.ref)
  return resolved === 'absent' ? undefined : {repository: event.repository, ref: event.ref, commit: resolved.commit}
}

function skip(ports: RenderPorts, event: PushEvent, message: string): void {
  const skipped: JournalEvent = {
    event: 'skipped',
    at: ports.clock.now().toISOString(),
    repository: event.repository,
    ref: event.ref,
    message,
    traceparent: event.trace.traceparent,
  }
  ports.journal.record(event.after === undefined ? skipped : {...skipped, commit: event.after})
}
