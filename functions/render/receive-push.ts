import {describeError} from '#shared/model/drawbridge-error.ts'
import type {JournalEvent} from '#shared/model/journal-event.ts'
import type {PushEvent} from '#shared/model/push-event.ts'
import {sameRepository} from '#shared/model/repository-url.ts'
import {shortRef} from '#shared/model/revision.ts'
import {SourceError} from '#shared/ports/source-error.ts'
import {type Head, sourceOf} from './open-sources.ts'
import {type ConfigCache, type ConfigResult, readConfig} from './read-config.ts'
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
import {resolveDeclaration} from './resolve-declarations.ts'

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
  const desired = readAllDesired(ports)
  // Awaited later, or never: a rejection must not end the process meanwhile.
  desired.catch(() => undefined)
  const declarations = await findDeclarations(ports, config, event, memory.configs)
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
    const job = {declaration, desired, trace, memory, deadline}
    outcomes.push(await renderCurrentHead(ports, job))
  }
  const about = pushed ?? declarations[0]
  if (about === undefined) return
  const findings = outcomes.flatMap((outcome) => outcome.findings)
  const [only, ...others] = outcomes
  const isOwn = only !== undefined && others.length === 0 && isPushed(only.head, event)
  const outcome = createOutcome(ports, about, findings, event.trace, isOwn ? rangeOfOutcome('', only.rest) : undefined)
  await ports.outcomes.send(JSON.stringify(outcome))
  memory.remember(outcome)
  const requests = outcomes.reduce((sum, each) => sum + each.requests, 0)
  if (requests === 0 && findings.length === 0) skip(ports, event, 'changes nothing in any cluster')
  const transient = outcomes.find((each) => each.transient !== undefined)?.transient
  if (transient !== undefined) throw transient
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

/** The declarations that a push concerns. One that can't be read fails the push only where the push is to it. */
async function findDeclarations(
  ports: RenderPorts,
  config: RenderConfig,
  event: PushEvent,
  configs: ConfigCache,
): Promise<Head[]> {
  const found = await Promise.all(
    config.repositories.map(async (tracked): Promise<Head[]> => {
      const isOwn = sameRepository(tracked.url, event.repository)
      try {
        const head = await resolveDeclaration(ports.git, tracked)
        if (head === 'absent') return []
        if (isPushed(head, event)) return [head]
        return (await namesAsSource(ports, head, event, configs)) ? [head] : []
      } catch (error) {
        if (isOwn || !(error instanceof SourceError)) throw error
        skip(ports, event, `whether ${tracked.url} is concerned is left to the sweep: ${describeError(error)}`)
        return []
      }
    }),
  )
  return found.flat()
}

async function namesAsSource(ports: RenderPorts, head: Head, event: PushEvent, configs: ConfigCache): Promise<boolean> {
  const read = configs.get(head.commit) ?? (await fetchConfig(ports, head, configs))
  return read.ok && read.config.apps.some((app) => isPushed(sourceOf(app, head), event))
}

async function fetchConfig(ports: RenderPorts, head: Head, configs: ConfigCache): Promise<ConfigResult> {
  const tree = await ports.git.fetchTree(head.repository, head.commit, head.ref)
  try {
    return await readConfig(ports.renderers, tree, configs)
  } finally {
    await tree.close()
  }
}

async function resolvePushed(ports: RenderPorts, event: PushEvent): Promise<Head | undefined> {
  const resolved = await ports.git.resolveRef(event.repository, event.ref)
  return resolved === 'absent' ? undefined : {repository: event.repository, ref: event.ref, commit: resolved.commit}
}

function isPushed(head: {repository: string; ref: string}, event: PushEvent): boolean {
  return head.ref === event.ref && sameRepository(head.repository, event.repository)
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
