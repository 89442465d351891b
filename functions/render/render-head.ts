import {packBody} from '#shared/messages/pack-body.ts'
import {API_VERSION} from '#shared/model/api-version.ts'
import type {DesiredState} from '#shared/model/desired-state.ts'
import {limits} from '#shared/model/limits.ts'
import type {Finding, Outcome} from '#shared/model/outcome.ts'
import type {PublishRequest} from '#shared/model/publish-request.ts'
import {passStage, type Trace} from '#shared/model/trace.ts'
import type {SourceError} from '#shared/ports/source-error.ts'
import type {Head} from './open-sources.ts'
import {type ConfigCache, readConfig} from './read-config.ts'
import {listClusters, readDesiredHints} from './read-desired-hints.ts'
import {renderDeclaration} from './render-declaration.ts'
import type {RenderPorts} from './render-ports.ts'

/** How a declaration's head fared: what is wrong with it, and how many clusters are to change. */
export interface HeadOutcome {
  findings: Finding[]
  requests: number
  transient: SourceError | undefined
}

/** A declaration's head that is to be rendered. */
export interface HeadJob {
  declaration: Head
  desired: Promise<Map<string, DesiredState>>
  trace: Trace
  configs: ConfigCache
}

/** What every cluster is told to run now. Read while refs are being resolved. */
export async function readAllDesired(ports: RenderPorts): Promise<Map<string, DesiredState>> {
  return readDesiredHints(ports.store, await listClusters(ports.store))
}

/**
 * Renders a declaration at a commit and sends what is to be published. With an unusable drawbridge.yaml nothing is sent. Rejects
 * with `SourceError` where the declaration itself can't be read, `ObjectStoreError`, `QueueError`.
 */
export async function renderHead(ports: RenderPorts, job: HeadJob): Promise<HeadOutcome> {
  const {declaration, trace} = job
  const tree = await ports.git.fetchTree(declaration.repository, declaration.commit, declaration.ref)
  try {
    const read = await readConfig(tree, job.configs)
    if (!read.ok) return {findings: read.findings, requests: 0, transient: undefined}
    const desired = await job.desired
    const rendered = await renderDeclaration(ports, {declaration, tree, config: read.config, desired, trace})
    const sent = await Promise.all(rendered.requests.map((request) => sendRequest(ports, request)))
    const tooLarge = sent.filter((finding) => finding !== undefined)
    return {
      findings: [...rendered.findings, ...tooLarge],
      requests: sent.length - tooLarge.length,
      transient: rendered.transient,
    }
  } finally {
    await tree.close()
  }
}

async function sendRequest(ports: RenderPorts, request: PublishRequest): Promise<Finding | undefined> {
  const body = packBody(request)
  const bytes = Buffer.byteLength(body)
  if (bytes <= limits.maxMessageBytes) {
    await ports.publishQueue.send(body)
    return undefined
  }
  return {
    code: 'REQUEST_TOO_LARGE',
    message: `the ${request.apps.length} apps for cluster ${request.cluster} make a message of ${bytes} bytes; at most ${limits.maxMessageBytes} can be sent: declare them in several repositories or branches`,
    cluster: request.cluster,
  }
}

const maxFindings = 200

/** The outcome of a render, for the author of a commit. */
export function createOutcome(ports: RenderPorts, head: Head, findings: readonly Finding[], trace: Trace): Outcome {
  const {repository, ref, commit} = head
  return {
    apiVersion: API_VERSION,
    kind: 'Outcome',
    stage: 'render',
    repository,
    ref,
    commit,
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
