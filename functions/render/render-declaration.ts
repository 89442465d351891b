import {availableParallelism} from 'node:os'
import {mapBounded} from '#shared/async/map-bounded.ts'
import {BundleError} from '#shared/bundle/bundle-error.ts'
import {API_VERSION} from '#shared/model/api-version.ts'
import type {App, Cluster} from '#shared/model/app.ts'
import type {DesiredApp, DesiredState, PresentApp} from '#shared/model/desired-state.ts'
import {keys} from '#shared/model/keys.ts'
import type {Finding} from '#shared/model/outcome.ts'
import type {PublishRequest} from '#shared/model/publish-request.ts'
import {sameRepository} from '#shared/model/repository-url.ts'
import {formatRevision} from '#shared/model/revision.ts'
import {passStage, type Trace} from '#shared/model/trace.ts'
import type {SourceTree} from '#shared/ports/git-source.ts'
import {SourceError} from '#shared/ports/source-error.ts'
import {type AppSource, type Head, isTransient, openSources, type Sources} from './open-sources.ts'
import type {Config} from './read-config.ts'
import {prepareApp, type RenderMeans, renderApp} from './render-app.ts'
import {RenderError, toFinding} from './render-error.ts'
import type {RenderPorts} from './render-ports.ts'
import {selectClusters} from './select-clusters.ts'

/** What a declaration wants at one commit, and the trace of the push that led here. */
export interface RenderJob {
  declaration: Head
  tree: SourceTree
  config: Config
  /** What each cluster is told to run now: a hint, by which the unchanged is left alone. */
  desired: ReadonlyMap<string, DesiredState>
  trace: Trace
  workDir: string
}

/** What came of it: one request per cluster in which something differs, and what is wrong. */
export interface RenderedDeclaration {
  requests: PublishRequest[]
  findings: Finding[]
  /** What kept an app from being rendered and may be gone at the next try. */
  transient: SourceError | undefined
}

/** One app in one cluster. */
type Result =
  | {kind: 'unchanged' | 'rendered'; entry: PresentApp; app: App; cluster: string; head: Head}
  | {kind: 'failed'; app: App; cluster: string; finding: Finding; transient: SourceError | undefined}

const concurrentClusters = 8

/** Renders all apps of a declaration, stores their bundles, and says what to publish. One app's failure leaves the others alone. Rejects with `ObjectStoreError`. */
export async function renderDeclaration(ports: RenderPorts, job: RenderJob): Promise<RenderedDeclaration> {
  const sources = openSources(ports.git, job.declaration, job.tree)
  try {
    const perApp = await mapBounded(job.config.apps, availableParallelism() + 1, (app) =>
      renderInClusters(ports, job, sources, app),
    )
    const results = perApp.flat()
    const clusters = new Set([...job.config.clusters.map(({metadata}) => metadata.name), ...job.desired.keys()])
    const ofCluster = Map.groupBy(results, ({cluster}) => cluster)
    const trace = passStage(job.trace, 'rendered', ports.clock.now())
    const failed = results.filter((result) => result.kind === 'failed')
    return {
      requests: [...clusters].flatMap((cluster) => {
        return createRequest(job, cluster, ofCluster.get(cluster) ?? [], trace) ?? []
      }),
      findings: failed.map(({finding}) => finding),
      transient: failed.find(({transient}) => transient !== undefined)?.transient,
    }
  } finally {
    await sources.close()
  }
}

async function renderInClusters(ports: RenderPorts, job: RenderJob, sources: Sources, app: App): Promise<Result[]> {
  const means: RenderMeans = {tools: ports.tools, workDir: job.workDir, rendered: new Map()}
  return mapBounded(selectClusters(app, job.config.clusters), concurrentClusters, async (cluster) => {
    try {
      const source = await sources.open(app)
      return await renderInCluster(ports, job, source, app, cluster, means)
    } catch (error) {
      return failedResult(error, app, cluster)
    }
  })
}

async function renderInCluster(
  ports: RenderPorts,
  job: RenderJob,
  {head, tree}: AppSource,
  app: App,
  cluster: Cluster,
  means: RenderMeans,
): Promise<Result> {
  const about = {app, cluster: cluster.metadata.name, head}
  const present = job.desired.get(about.cluster)?.apps.find(({name}) => name === app.metadata.name)
  if (present?.state === 'present' && !isDeclaredBy(present, job.declaration)) {
    const {repository, ref} = present.declaredIn
    const message = `cluster ${about.cluster} has an app ${app.metadata.name} already, declared in ${repository} at ${ref}: rename one of them`
    throw new RenderError('NAME_TAKEN', message)
  }
  const prepared = await prepareApp(tree, app, cluster, means.tools)
  if (present?.state === 'present' && present.inputs === prepared.inputs)
    return {kind: 'unchanged', entry: present, ...about}

  const {bytes, address} = await renderApp(prepared, means)
  await ports.store.create(keys.bundle(address.digest), bytes)
  const now = ports.clock.now()
  const revision = formatRevision(head.ref, head.commit)
  const trace = passStage(job.trace, 'rendered', now)
  ports.journal.record({
    event: 'rendered',
    at: now.toISOString(),
    repository: head.repository,
    ref: head.ref,
    commit: head.commit,
    cluster: about.cluster,
    app: app.metadata.name,
    revision,
    traceparent: trace.traceparent,
  })
  const {spec} = app
  const entry: PresentApp = {
    state: 'present',
    name: app.metadata.name,
    declaredIn: {repository: job.declaration.repository, ref: job.declaration.ref},
    source: {...head, path: prepared.path},
    revision,
    inputs: prepared.inputs,
    bundle: address,
    ...(spec.namespace === undefined ? {} : {namespace: spec.namespace}),
    createNamespace: spec.createNamespace,
    ...(spec.namespaceMetadata === undefined ? {} : {namespaceMetadata: spec.namespaceMetadata}),
    ...(spec.dependsOn === undefined ? {} : {dependsOn: spec.dependsOn}),
    ...(spec.serviceAccount === undefined ? {} : {serviceAccount: spec.serviceAccount}),
    sync: spec.sync,
    trace,
  }
  return {kind: 'rendered', entry, ...about}
}

function createRequest(
  {declaration, desired}: RenderJob,
  cluster: string,
  results: readonly Result[],
  trace: Trace,
): PublishRequest | undefined {
  const names = new Set(results.map(({app}) => app.metadata.name))
  const present = desired.get(cluster)?.apps ?? []
  const isRemoved = (app: DesiredApp) =>
    app.state === 'present' && isDeclaredBy(app, declaration) && !names.has(app.name)
  if (!results.some(({kind}) => kind === 'rendered') && !present.some(isRemoved)) return undefined
  const heads = new Map<string, Head>()
  const {repository, ref, commit} = declaration
  heads.set(`${repository} ${ref}`, {repository, ref, commit})
  for (const result of results) {
    if (result.kind !== 'failed') heads.set(`${result.head.repository} ${result.head.ref}`, result.head)
  }
  return {
    apiVersion: API_VERSION,
    kind: 'PublishRequest',
    cluster,
    declaredIn: {repository, ref},
    commit,
    heads: [...heads.values()],
    apps: results.map((result) =>
      result.kind === 'failed'
        ? {outcome: 'failed', name: result.app.metadata.name}
        : {
            outcome: 'ready',
            app: result.entry,
            ...(result.app.spec.allow === undefined ? {} : {allow: result.app.spec.allow}),
          },
    ),
    trace,
  }
}

function isDeclaredBy(app: DesiredApp, declaration: Head): boolean {
  return app.declaredIn.ref === declaration.ref && sameRepository(app.declaredIn.repository, declaration.repository)
}

function failedResult(error: unknown, app: App, cluster: Cluster): Result {
  const about = {app: app.metadata.name, cluster: cluster.metadata.name}
  const failed = {kind: 'failed', app, cluster: about.cluster} as const
  if (error instanceof RenderError) return {...failed, finding: toFinding(error, about), transient: undefined}
  if (error instanceof BundleError) {
    return {...failed, finding: {code: error.code, message: error.message, ...about}, transient: undefined}
  }
  if (error instanceof SourceError) {
    const transient = isTransient(error) ? error : undefined
    return {...failed, finding: {code: error.code, message: error.message, ...about}, transient}
  }
  // A fault of ours with this app's input must not keep the others from being rendered; a full disk may pass.
  if (error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError) {
    const message = `the render failed by a fault of Drawbridge's own: ${error.message}`
    return {...failed, finding: {code: 'INTERNAL', message, ...about}, transient: undefined}
  }
  throw error
}
