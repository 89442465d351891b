import {mapBounded} from '#shared/async/map-bounded.ts'
import {BundleError} from '#shared/bundle/bundle-error.ts'
import type {App, Cluster} from '#shared/model/app.ts'
import type {Declaration, PresentApp} from '#shared/model/desired-state.ts'
import {keys} from '#shared/model/keys.ts'
import {describeFinding, type Finding} from '#shared/model/outcome.ts'
import {sameRepository} from '#shared/model/repository-url.ts'
import {formatRevision} from '#shared/model/revision.ts'
import {passStage} from '#shared/model/trace.ts'
import {ObjectStoreError} from '#shared/ports/object-store-error.ts'
import {QueueError} from '#shared/ports/queue-error.ts'
import {SourceError} from '#shared/ports/source-error.ts'
import {checkCluster, checkServiceAccount, checkSource} from '#shared/tracking/check-declared.ts'
import {type Head, isTransient, sourceOf} from './open-sources.ts'
import {type AppRender, renderApp} from './render-app.ts'
import type {RenderJob} from './render-declaration.ts'
import {RenderError, toFinding, toWarning} from './render-error.ts'
import type {RenderPorts} from './render-ports.ts'
import type {RenderRecords} from './render-records.ts'
import {selectClusters} from './select-clusters.ts'

/** What came of one app in one cluster. */
export type AppResult =
  | {
      kind: 'unchanged' | 'rendered'
      entry: PresentApp
      app: App
      cluster: string
      head: Head
      warnings: readonly Finding[]
    }
  | {kind: 'failed'; app: App; cluster: string; finding: Finding; transient: SourceError | undefined}

const concurrentStores = 8

/**
 * Renders an app for each cluster that it targets and stores its bundles; one that fails is a result too. Nothing is opened for what is
 * known to be published from the very commit. Rejects with `ObjectStoreError`, and with `SourceError` where the declaration's own tree
 * can't be read.
 */
export async function renderInClusters(
  ports: RenderPorts,
  job: RenderJob,
  openRecords: () => Promise<RenderRecords>,
  app: App,
): Promise<AppResult[]> {
  const {sources, declaration} = job
  const clusters = selectClusters(app, job.config.clusters)
  const taken = clusters.flatMap((cluster) => findForbidden(job, app, cluster) ?? findTaken(job, app, cluster) ?? [])
  const free = clusters.filter(({metadata}) => !taken.some(({cluster}) => cluster === metadata.name))
  if (free.length === 0) return taken
  const isOwn = sources.isOwn(app)
  // Without the declaration's own tree nothing can be said of any app, so that is no failure of this one.
  if (isOwn && free.some((cluster) => findKnown(job, declaration, app, cluster) === undefined)) await sources.own()
  try {
    const head = await sources.resolve(app)
    const known = free.flatMap((cluster) => findKnown(job, head, app, cluster) ?? [])
    const todo = free.filter(({metadata}) => !known.some(({cluster}) => cluster === metadata.name))
    if (todo.length === 0) return [...taken, ...known]
    const [{view}, records] = await Promise.all([sources.open(app), openRecords()])
    const renders = await renderApp(
      {renderers: ports.renderers, records},
      {
        scope: `${declaration.repository} ${declaration.commit} ${head.repository} ${head.commit}`,
        view,
        app,
        clusters: todo,
        policy: job.policy,
        presentInputs: (cluster) => presentIn(job, cluster, app)?.inputs,
      },
    )
    const results = await mapBounded(renders, concurrentStores, (render) => toResult(ports, job, head, app, render))
    for (const result of results) {
      const cluster = todo.find(({metadata}) => metadata.name === result.cluster)
      if (result.kind === 'failed' || cluster === undefined) continue
      job.inputs.set(app, cluster, head, {inputs: result.entry.inputs, warnings: result.warnings})
    }
    return [...taken, ...known, ...results]
  } catch (error) {
    return [...taken, ...free.map((cluster) => failedResult(error, app, cluster.metadata.name))]
  }
}

/** What a cluster has of an app, where that is known to be what a render of this commit would be. */
function findKnown(job: RenderJob, head: Head, app: App, cluster: Cluster): AppResult | undefined {
  const entry = presentIn(job, cluster.metadata.name, app)
  const known = job.inputs.get(app, cluster, head)
  if (entry === undefined || known?.inputs !== entry.inputs) return undefined
  return {kind: 'unchanged', entry, app, cluster: cluster.metadata.name, head, warnings: known.warnings}
}

function presentIn(job: RenderJob, cluster: string, app: App): PresentApp | undefined {
  const present = job.desired.get(cluster)?.apps.get(app.metadata.name)
  return present?.state === 'present' ? present : undefined
}

/** What the app's declaration says of it, checked before anything is fetched. */
function findForbidden({policy, declaration}: RenderJob, app: App, {metadata}: Cluster): AppResult | undefined {
  const refusal =
    checkCluster(policy, metadata.name) ??
    checkSource(policy, {
      repository: sourceOf(app, declaration).repository,
      declaredIn: declaration.repository,
    }) ??
    checkServiceAccount(policy, app.spec.serviceAccount)
  return refusal && failedResult(new RenderError(refusal.code, refusal.message), app, metadata.name)
}

function findTaken(job: RenderJob, app: App, {metadata}: Cluster): AppResult | undefined {
  const present = presentIn(job, metadata.name, app)
  if (present === undefined || isDeclaredBy(present.declaredIn, job.declaration)) return undefined
  const {repository, ref} = present.declaredIn
  const message = `cluster ${metadata.name} has an app ${app.metadata.name} already, declared in ${repository} at ${ref}: rename one of them`
  return failedResult(new RenderError('NAME_TAKEN', message), app, metadata.name)
}

async function toResult(
  ports: RenderPorts,
  job: RenderJob,
  head: Head,
  app: App,
  render: AppRender,
): Promise<AppResult> {
  const {cluster} = render
  const present = presentIn(job, cluster, app)
  if (render.kind === 'failed') return failedResult(render.error, app, cluster)
  const about = {app: app.metadata.name, cluster}
  const warnings = render.warnings.map((warning) => toWarning(warning, about))
  switch (render.kind) {
    case 'unchanged':
      if (present === undefined) throw new TypeError(`${app.metadata.name} is not in ${cluster}, and unchanged`)
      return {kind: 'unchanged', entry: present, app, cluster, head, warnings}
    case 'rendered': {
      const empty = render.warnings.find(({code}) => code === 'EMPTY_RENDER')
      if (empty !== undefined && (present?.bundle.objects ?? 0) > 0) {
        return failedResult(new RenderError('EMPTY_RENDER', empty.message), app, cluster)
      }
      await ports.store.create(keys.bundle(render.address.digest), render.bytes)
      const entry = toEntry(ports, job, head, app, render)
      recordRendered(ports, head, entry, cluster, warnings)
      return {kind: 'rendered', entry, app, cluster, head, warnings}
    }
  }
}

function toEntry(
  ports: RenderPorts,
  job: RenderJob,
  head: Head,
  {metadata, spec}: App,
  {path, inputs, address}: Extract<AppRender, {kind: 'rendered'}>,
): PresentApp {
  return {
    state: 'present',
    name: metadata.name,
    declaredIn: {repository: job.declaration.repository, ref: job.declaration.ref},
    source: {...head, path},
    revision: formatRevision(head.ref, head.commit),
    inputs,
    bundle: address,
    ...(spec.namespace === undefined ? {} : {namespace: spec.namespace}),
    createNamespace: spec.createNamespace,
    ...(spec.namespaceMetadata === undefined ? {} : {namespaceMetadata: spec.namespaceMetadata}),
    ...(spec.dependsOn === undefined ? {} : {dependsOn: spec.dependsOn}),
    ...(spec.serviceAccount === undefined ? {} : {serviceAccount: spec.serviceAccount}),
    sync: spec.sync,
    trace: passStage(job.trace, 'rendered', ports.clock.now()),
  }
}

function recordRendered(
  {journal, clock}: RenderPorts,
  {repository, ref, commit}: Head,
  {name, revision, trace}: PresentApp,
  cluster: string,
  warnings: readonly Finding[],
): void {
  const about = {repository, ref, commit, cluster, app: name, revision, traceparent: trace.traceparent}
  const at = clock.now().toISOString()
  journal.record({event: 'rendered', at, ...about})
  for (const warning of warnings) {
    journal.record({event: 'warned', at, ...about, code: warning.code, message: describeFinding(warning)})
  }
}

/** Tells whether that is the declaration, however its repository is spelled. */
function isDeclaredBy(declaredIn: Declaration, declaration: Head): boolean {
  return declaredIn.ref === declaration.ref && sameRepository(declaredIn.repository, declaration.repository)
}

function failedResult(error: unknown, app: App, cluster: string): AppResult {
  const about = {app: app.metadata.name, cluster}
  const failed = {kind: 'failed', app, cluster: about.cluster} as const
  if (error instanceof RenderError) return {...failed, finding: toFinding(error, about), transient: undefined}
  if (error instanceof BundleError) {
    return {...failed, finding: {code: error.code, message: error.message, ...about}, transient: undefined}
  }
  if (error instanceof SourceError) {
    const transient = isTransient(error) ? error : undefined
    return {...failed, finding: {code: error.code, message: error.message, ...about}, transient}
  }
  // The store and the queues are everybody's. All else that fails with this app must not keep the others from being rendered.
  if (error instanceof ObjectStoreError || error instanceof QueueError || !(error instanceof Error)) throw error
  const message = `the render failed by a fault of Drawbridge's own: ${error.message}`
  return {...failed, finding: {code: 'INTERNAL', message, ...about}, transient: undefined}
}
