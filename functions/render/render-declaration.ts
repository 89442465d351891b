import {availableParallelism} from 'node:os'
import {mapBounded} from '#shared/async/map-bounded.ts'
import {API_VERSION} from '#shared/model/api-version.ts'
import type {DesiredApp, DesiredState} from '#shared/model/desired-state.ts'
import type {Finding} from '#shared/model/outcome.ts'
import type {PublishRequest} from '#shared/model/publish-request.ts'
import {passStage, type Trace} from '#shared/model/trace.ts'
import type {SourceTree} from '#shared/ports/git-source.ts'
import type {SourceError} from '#shared/ports/source-error.ts'
import {type Head, openSources} from './open-sources.ts'
import type {Config} from './read-config.ts'
import {type AppResult, isDeclaredBy, renderInClusters} from './render-in-cluster.ts'
import type {RenderPorts} from './render-ports.ts'
import {openRenderRecords} from './render-records.ts'

/** What a declaration wants at one commit, and the trace of the push that led here. */
export interface RenderJob {
  declaration: Head
  tree: SourceTree
  config: Config
  /** What each cluster is told to run now: a hint, by which the unchanged is left alone. */
  desired: ReadonlyMap<string, DesiredState>
  trace: Trace
}

/** What came of it: one request per cluster in which something differs, and what is wrong. */
export interface RenderedDeclaration {
  requests: PublishRequest[]
  findings: Finding[]
  /** What kept an app from being rendered and may be gone at the next try. */
  transient: SourceError | undefined
}

/** Renders all apps of a declaration, stores their bundles, and says what to publish. One app's failure leaves the others alone. Rejects with `ObjectStoreError`. */
export async function renderDeclaration(ports: RenderPorts, job: RenderJob): Promise<RenderedDeclaration> {
  const sources = openSources(ports.git, job.declaration, job.tree)
  const records = await openRenderRecords(ports.store, job.declaration)
  try {
    const perApp = await mapBounded(job.config.apps, availableParallelism() + 1, (app) =>
      renderInClusters(ports, job, sources, records, app),
    )
    await records.save(job.config)
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

function createRequest(
  {declaration, desired}: RenderJob,
  cluster: string,
  results: readonly AppResult[],
  trace: Trace,
): PublishRequest | undefined {
  const names = new Set(results.map(({app}) => app.metadata.name))
  const present = desired.get(cluster)?.apps ?? []
  const isRemoved = (app: DesiredApp) =>
    app.state === 'present' && isDeclaredBy(app.declaredIn, declaration) && !names.has(app.name)
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
