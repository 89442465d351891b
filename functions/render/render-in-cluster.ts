import {mapBounded} from '#shared/async/map-bounded.ts'
import {BundleError} from '#shared/bundle/bundle-error.ts'
import type {App, Cluster} from '#shared/model/app.ts'
import type {Declaration, PresentApp} from '#shared/model/desired-state.ts'
import {keys} from '#shared/model/keys.ts'
import type {Finding} from '#shared/model/outcome.ts'
import {sameRepository} from '#shared/model/repository-url.ts'
import {formatRevision} from '#shared/model/revision.ts'
import {passStage} from '#shared/model/trace.ts'
import {SourceError} from '#shared/ports/source-error.ts'
import {type AppSource, type Head, isTransient, type Sources} from './open-sources.ts'
import {prepareApp, type RenderMeans, renderApp} from './render-app.ts'
import type {RenderJob} from './render-declaration.ts'
import {RenderError, toFinding} from './render-error.ts'
import type {RenderPorts} from './render-ports.ts'
import {selectClusters} from './select-clusters.ts'

/** What came of one app in one cluster. */
export type AppResult =
  | {kind: 'unchanged' | 'rendered'; entry: PresentApp; app: App; cluster: string; head: Head}
  | {kind: 'failed'; app: App; cluster: string; finding: Finding; transient: SourceError | undefined}

const concurrentClusters = 8

/** Renders an app for each cluster that it targets and stores its bundles; one that fails is a result too. Rejects with `ObjectStoreError`. */
export async function renderInClusters(
  ports: RenderPorts,
  job: RenderJob,
  sources: Sources,
  app: App,
): Promise<AppResult[]> {
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
): Promise<AppResult> {
  const about = {app, cluster: cluster.metadata.name, head}
  const present = job.desired.get(about.cluster)?.apps.get(app.metadata.name)
  if (present?.state === 'present' && !isDeclaredBy(present.declaredIn, job.declaration)) {
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

/** Tells whether that is the declaration, however its repository is spelled. */
export function isDeclaredBy(declaredIn: Declaration, declaration: Head): boolean {
  return declaredIn.ref === declaration.ref && sameRepository(declaredIn.repository, declaration.repository)
}

function failedResult(error: unknown, app: App, cluster: Cluster): AppResult {
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
