import {API_VERSION} from '#shared/model/api-version.ts'
import type {DesiredState} from '#shared/model/desired-state.ts'
import {limits} from '#shared/model/limits.ts'
import type {NameRange} from '#shared/model/name-range.ts'
import type {Finding, Outcome} from '#shared/model/outcome.ts'
import type {ContinueRender} from '#shared/model/push-event.ts'
import {passStage, type Trace} from '#shared/model/trace.ts'
import type {SourceError} from '#shared/ports/source-error.ts'
import type {Head} from './open-sources.ts'
import {readConfig} from './read-config.ts'
import {listClusters, readDesiredHints} from './read-desired-hints.ts'
import {renderDeclaration} from './render-declaration.ts'
import type {RenderMemory} from './render-memory.ts'
import type {RenderPorts} from './render-ports.ts'

/** How a declaration's head fared: what is wrong with it, and how many ranges were sent to publish. */
export interface HeadOutcome {
  head: Head
  findings: Finding[]
  requests: number
  transient: SourceError | undefined
  /** The name of the first app that was left to a message of its own; undefined where all are rendered. */
  rest: string | undefined
}

/** A declaration's head that is to be rendered. */
export interface HeadJob {
  declaration: Head
  desired: Promise<Map<string, DesiredState>>
  trace: Trace
  memory: RenderMemory
  /** The name of the first app that is looked at. @default '' */
  from?: string
  deadline: Date | undefined
}

/** What every cluster is told to run now. Read while refs are being resolved. */
export async function readAllDesired(ports: RenderPorts): Promise<Map<string, DesiredState>> {
  return readDesiredHints(ports.store, await listClusters(ports.store))
}

/**
 * Renders a declaration at a commit and sends what is to be published; what is left when the time is over becomes a message of its
 * own. With an unusable drawbridge.yaml nothing is sent. Rejects with `SourceError` where the declaration itself can't be read,
 * `ObjectStoreError`, `QueueError`.
 */
export async function renderHead(ports: RenderPorts, job: HeadJob): Promise<HeadOutcome> {
  const {declaration, trace, memory, from, deadline} = job
  const tree = await ports.git.fetchTree(declaration.repository, declaration.commit, declaration.ref)
  try {
    const read = await readConfig(ports.renderers, tree, memory.configs)
    if (!read.ok)
      return {head: declaration, findings: read.findings, requests: 0, transient: undefined, rest: undefined}
    const desired = await job.desired
    const {config} = read
    const rendered = await renderDeclaration(ports, {
      declaration,
      tree,
      config,
      desired,
      from,
      deadline,
      trace,
    })
    if (rendered.rest !== undefined) await leaveRest(ports, memory, {head: declaration, rest: rendered.rest, trace})
    else memory.noteRest(declaration, 'done', ports.clock.now())
    return {head: declaration, ...rendered}
  } finally {
    await tree.close()
  }
}

/** Leaves a declaration's apps from the name `rest` on to a message of its own. */
export async function leaveRest(
  ports: RenderPorts,
  memory: RenderMemory,
  {head, rest, trace}: {head: Head; rest: string; trace: Trace},
): Promise<void> {
  const {repository, ref, commit} = head
  const message: ContinueRender = {
    apiVersion: API_VERSION,
    kind: 'ContinueRender',
    declaredIn: {repository, ref},
    commit,
    from: rest,
    trace,
  }
  await ports.renderQueue.send(JSON.stringify(message))
  memory.noteRest(head, 'left', ports.clock.now())
}

/** The names that an outcome is about where it begins or ends amid the apps; undefined where it is about all. */
export function rangeOfOutcome(from: string, rest: string | undefined): NameRange | undefined {
  if (rest === undefined) return from === '' ? undefined : {from}
  return {from, to: rest}
}

const maxFindings = 200

/** The outcome of a render, for the author of a commit. `range`: of which of its apps; all where it is absent. */
export function createOutcome(
  ports: RenderPorts,
  head: Head,
  findings: readonly Finding[],
  trace: Trace,
  range?: NameRange,
): Outcome {
  const {repository, ref, commit} = head
  return {
    apiVersion: API_VERSION,
    kind: 'Outcome',
    stage: 'render',
    repository,
    ref,
    commit,
    ...(range === undefined ? {} : {range}),
    findings: fitFindings(findings),
    trace: passStage(trace, 'rendered', ports.clock.now()),
  }
}

/** The first findings, as many as fit a message with room to spare. */
function fitFindings(findings: readonly Finding[]): Finding[] {
  let bytes = 0
  return findings.slice(0, maxFindings).filter((finding) => {
    bytes += Buffer.byteLength(JSON.stringify(finding))
    return bytes < limits.maxMessageBytes / 2
  })
}
