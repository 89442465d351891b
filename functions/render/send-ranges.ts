import {mapBounded} from '#shared/async/map-bounded.ts'
import {packBody} from '#shared/messages/pack-body.ts'
import {API_VERSION} from '#shared/model/api-version.ts'
import type {App} from '#shared/model/app.ts'
import {limits} from '#shared/model/limits.ts'
import type {Finding} from '#shared/model/outcome.ts'
import {nameOfEntry, type PublishRange} from '#shared/model/publish-request.ts'
import {passStage} from '#shared/model/trace.ts'
import {checkCluster} from '#shared/tracking/check-declared.ts'
import {type CutRange, createRangeCutter, type Piece, type RangeCutter} from './cut-ranges.ts'
import {declarationKey} from './declaration-key.ts'
import type {Head} from './open-sources.ts'
import type {RenderJob} from './render-declaration.ts'
import type {AppResult} from './render-in-cluster.ts'
import type {RenderPorts} from './render-ports.ts'
import {selectClusters} from './select-clusters.ts'

/** Sends what is rendered to publish, part by part. Safe to call at once for several apps. */
export interface RangeSender {
  /** Takes what came of one app in all its clusters. Rejects with `QueueError`. */
  add(results: readonly AppResult[]): Promise<void>
  /** Sends all that is left. */
  finish(): Promise<void>
  /** How many ranges were sent. */
  requests(): number
  /** What could not be sent. */
  findings(): Finding[]
}

/** One message; the bytes are of JSON before it is packed, so that every message stays well below the limit of the queue. */
const bounds = {maxApps: 100, maxBytes: limits.maxMessageBytes / 2}
/** What is finished waits no longer than this for more. */
const MAX_WAIT_MILLISECONDS = 5_000
const concurrentSends = 8

/** Makes the sender of a declaration's `apps`, which are sorted by name and of which the first is the one at `job.from`. */
export function createRangeSender(ports: RenderPorts, job: RenderJob, apps: readonly App[]): RangeSender {
  const cutters = createCutters(job, apps)
  const broken = brokenNames(job)
  // Said of every cluster, so that publish takes none of them for removed, whatever the hint tells.
  const early = [...cutters].flatMap(([cluster, cutter]) =>
    broken.flatMap((name) => cutter.take(name, brokenPiece(name)).map((cut) => ({cluster, cut}))),
  )
  const findings = findLeftBehind(job)
  let requests = 0
  let sentAt = ports.clock.now().getTime()

  const send = async (cuts: readonly {cluster: string; cut: CutRange}[]): Promise<void> => {
    await mapBounded(cuts, concurrentSends, async ({cluster, cut}) => {
      const body = packBody(createRange(ports, job, cluster, cut))
      const bytes = Buffer.byteLength(body)
      if (bytes <= limits.maxMessageBytes) {
        await ports.publishQueue.send(body)
        requests += 1
      } else findings.push(tooLarge(cluster, cut, bytes))
    })
  }
  const flush = () => [...cutters].flatMap(([cluster, cutter]) => cutter.flush().map((cut) => ({cluster, cut})))

  return {
    async add(results) {
      const cuts = early.splice(0)
      const more = results.flatMap((result) => {
        const cutter = cutters.get(result.cluster)
        const taken = cutter?.take(result.app.metadata.name, toPiece(result)) ?? []
        return taken.map((cut) => ({cluster: result.cluster, cut}))
      })
      cuts.push(...more)
      const now = ports.clock.now().getTime()
      if (now - sentAt >= MAX_WAIT_MILLISECONDS) {
        cuts.push(...flush())
        sentAt = now
      }
      await send(cuts)
    },
    finish: () => send([...early.splice(0), ...flush()]),
    requests: () => requests,
    findings: () => findings,
  }
}

/** Removals in clusters that the declaration may not name any more: what is there stays, and that is told. */
function findLeftBehind({config, desired, declaration, policy, from = ''}: RenderJob): Finding[] {
  const declared = new Set([...config.apps.map(({metadata}) => metadata.name), ...brokenNames({config, from})])
  return [...desired].flatMap(([cluster, hint]) => {
    const refusal = checkCluster(policy, cluster)
    const own = refusal === undefined ? [] : (hint.declared.get(declarationKey(declaration)) ?? [])
    const left = own.filter(({state, name}) => state === 'present' && name >= from && !declared.has(name))
    return left.map(({name}) => ({
      code: 'CLUSTER_NOT_ALLOWED',
      message: `it was removed from drawbridge.yaml, and this repository may not change cluster ${cluster} any more (policy.clusters in the bridge's configuration): the cluster keeps it`,
      app: name,
      cluster,
    }))
  })
}

function createCutters({config, desired, declaration, policy, from = ''}: RenderJob, apps: readonly App[]) {
  const declared = new Map<string, Set<string>>(config.clusters.map(({metadata}) => [metadata.name, new Set()]))
  const broken = brokenNames({config, from})
  for (const app of apps) {
    for (const {metadata} of selectClusters(app, config.clusters)) declared.get(metadata.name)?.add(app.metadata.name)
  }
  const cutters = new Map<string, RangeCutter>()
  for (const cluster of new Set([...declared.keys(), ...desired.keys()])) {
    // What it may not name it may not empty either.
    if (checkCluster(policy, cluster) !== undefined) continue
    const names = new Set([...(declared.get(cluster) ?? []), ...broken])
    const own = desired.get(cluster)?.declared.get(declarationKey(declaration)) ?? []
    const removed = own.filter(({state, name}) => state === 'present' && name >= from && !names.has(name))
    const removedNames = removed.map(({name}) => name)
    cutters.set(cluster, createRangeCutter([...names], removedNames, bounds, from))
  }
  return cutters
}

/** Apps that are declared and could not be read. */
function brokenNames({config, from = ''}: Pick<RenderJob, 'config' | 'from'>): string[] {
  const names = config.findings.flatMap(({app}) => (app === undefined || app < from ? [] : [app]))
  return [...new Set(names)]
}

function brokenPiece(name: string): Piece {
  const entry = {outcome: 'failed', name} as const
  return {entry, head: undefined, differs: false, bytes: () => Buffer.byteLength(JSON.stringify([entry, null]))}
}

function toPiece(result: AppResult): Piece {
  const {spec, metadata} = result.app
  const entry: Piece['entry'] =
    result.kind === 'failed'
      ? {outcome: 'failed', name: metadata.name}
      : {outcome: 'ready', app: result.entry, ...(spec.allow === undefined ? {} : {allow: spec.allow})}
  const head = result.kind === 'failed' ? undefined : result.head
  const bytes = () => Buffer.byteLength(JSON.stringify([entry, head ?? null]))
  return {entry, head, differs: result.kind === 'rendered', bytes}
}

function createRange(ports: RenderPorts, job: RenderJob, cluster: string, {range, pieces}: CutRange): PublishRange {
  const {repository, ref, commit} = job.declaration
  const heads = new Map<string, Head>([[`${repository} ${ref}`, {repository, ref, commit}]])
  for (const {head} of pieces) if (head !== undefined) heads.set(`${head.repository} ${head.ref}`, head)
  return {
    apiVersion: API_VERSION,
    kind: 'PublishRange',
    cluster,
    declaredIn: {repository, ref},
    commit,
    range,
    heads: [...heads.values()],
    apps: pieces.map(({entry}) => entry),
    trace: passStage(job.trace, 'rendered', ports.clock.now()),
  }
}

function tooLarge(cluster: string, {pieces}: CutRange, bytes: number): Finding {
  const names = pieces.map(({entry}) => nameOfEntry(entry))
  const [app] = names
  return {
    code: 'REQUEST_TOO_LARGE',
    message: `what App ${names.join(', ')} asks of cluster ${cluster} makes a message of ${bytes} bytes; at most ${limits.maxMessageBytes} can be sent: shorten its sync options`,
    cluster,
    ...(app === undefined ? {} : {app}),
  }
}
