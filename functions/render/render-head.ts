import {API_VERSION} from '#shared/model/api-version.ts'
import {limits} from '#shared/model/limits.ts'
import type {NameRange} from '#shared/model/name-range.ts'
import type {Finding, Outcome} from '#shared/model/outcome.ts'
import type {ContinueRender} from '#shared/model/push-event.ts'
import {passStage, type Trace} from '#shared/model/trace.ts'
import type {RepositoryPolicy} from '#shared/model/tracked-repository.ts'
import type {SourceTree} from '#shared/ports/git-source.ts'
import {SourceError} from '#shared/ports/source-error.ts'
import {declarationKey} from './declaration-key.ts'
import {type Head, openSources, type Sources} from './open-sources.ts'
import {type ConfigResult, readConfig} from './read-config.ts'
import {type DesiredHint, listClusters, readDesiredHints} from './read-desired-hints.ts'
import {renderDeclaration} from './render-declaration.ts'
import type {RenderMemory} from './render-memory.ts'
import type {RenderPorts} from './render-ports.ts'
import {describeSettled, type SettledHead} from './settled-heads.ts'

/** How a declaration's head fared: what is wrong with it, and how many ranges were sent to publish. */
export interface HeadOutcome {
  head: Head
  findings: Finding[]
  warnings: readonly Finding[]
  requests: number
  transient: SourceError | undefined
  /** The name of the first app that was left to a message of its own; undefined where all are rendered. */
  rest: string | undefined
  /** Set where nothing was to be done: to be remembered once the outcome is told. */
  settled?: SettledHead
}

/** A declaration's head that is to be rendered. */
export interface HeadJob {
  declaration: Head
  /** What it may name. @default everything */
  policy?: RepositoryPolicy | undefined
  desired: Promise<Map<string, DesiredHint>>
  trace: Trace
  memory: RenderMemory
  /** The name of the first app that is looked at. @default '' */
  from?: string
  deadline: Date | undefined
}

/** What every cluster is told to run now. Read while refs are being resolved. */
export async function readAllDesired(ports: RenderPorts, memory: RenderMemory): Promise<Map<string, DesiredHint>> {
  return readDesiredHints(ports.store, await listClusters(ports.store), memory.hints)
}

/**
 * Renders a declaration at a commit and sends what is to be published; what is left when the time is over becomes a message of its
 * own. With an unusable drawbridge.yaml nothing is sent. Rejects with `SourceError` where the declaration itself can't be read,
 * `ObjectStoreError`, `QueueError`.
 */
export async function renderHead(ports: RenderPorts, job: HeadJob): Promise<HeadOutcome> {
  const {declaration: head, policy, trace, memory, from, deadline} = job
  memory.settled.delete(declarationKey(head))
  const sources = openSources(ports.git, head)
  try {
    const read =
      memory.configs.get(head.commit) ??
      (await readOwn(sources, (tree) => readConfig(ports.renderers, tree, memory.configs)))
    if (!read.ok)
      return {head, findings: read.findings, warnings: [], requests: 0, transient: undefined, rest: undefined}
    const {config} = read
    const {inputs, records} = memory
    const desired = await job.desired
    const order = {declaration: head, policy, sources, config, inputs, records, desired, from, deadline, trace}
    const rendered = await renderDeclaration(ports, order)
    const {rest, requests} = rendered
    const broken = config.findings.filter(({app = ''}) => app >= (from ?? '') && (rest === undefined || app < rest))
    const findings = [...broken, ...rendered.findings]
    if (rest !== undefined) await leaveRest(ports, memory, {head, rest, trace})
    else memory.noteRest(head, 'done', ports.clock.now())
    const isDone = from === undefined && rest === undefined && requests === 0 && findings.length === 0
    if (!isDone) return {head, ...rendered, findings}
    return {
      head,
      ...rendered,
      findings,
      settled: describeSettled(head, await sources.resolved(), desired, rendered.warnings.slice(0, maxWarnings)),
    }
  } finally {
    await sources.close()
  }
}

/** What is wrong with the commit itself is told to its author: no other try mends it. */
async function readOwn(sources: Sources, read: (tree: SourceTree) => Promise<ConfigResult>): Promise<ConfigResult> {
  try {
    return await read(await sources.own())
  } catch (error) {
    if (!(error instanceof SourceError && commitFaults.has(error.code))) throw error
    return {ok: false, findings: [{code: error.code, message: error.message}]}
  }
}

const commitFaults: ReadonlySet<SourceError['code']> = new Set(['REPOSITORY_TOO_LARGE', 'REPOSITORY_DAMAGED'])

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
const maxWarnings = 50

/** The outcome of a render, for the author of a commit. `range`: of which of its apps; all where it is absent. */
export function createOutcome(
  ports: RenderPorts,
  head: Head,
  {findings, warnings}: {findings: readonly Finding[]; warnings: readonly Finding[]},
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
    ...(warnings.length === 0 ? {} : {warnings: fitFindings(warnings.slice(0, maxWarnings))}),
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
