import {readFile} from 'node:fs/promises'
import {availableParallelism} from 'node:os'
import {memoizeAsync} from '#shared/async/memoize-async.ts'
import {BundleError} from '#shared/bundle/bundle-error.ts'
import type {App, Cluster} from '#shared/model/app.ts'
import {limits} from '#shared/model/limits.ts'
import type {RepositoryPolicy} from '#shared/model/tracked-repository.ts'
import type {ParsedConfig} from '../parse-config.ts'
import {RenderError} from '../render-error.ts'
import type {ModuleName} from './file-questions.ts'
import type {RenderedApp} from './render-in-box.ts'
import {type RenderThread, startRenderThread} from './render-thread.ts'
import type {TreeView} from './tree-view.ts'
import type {WorkerReply} from './worker-messages.ts'

/** The compiled renderers: files of WebAssembly. */
export type RendererModules = Readonly<Record<ModuleName, string>>

/** One app to be rendered for some clusters, from one commit. */
export interface RenderOrder {
  /** Names the declaration and its commit: what is of one is never seen by another. */
  scope: string
  view: TreeView
  app: App
  clusters: readonly Cluster[]
  /** What its objects may be. @default anything */
  policy?: RepositoryPolicy | undefined
}

/** What came of one cluster: the app, or why there is none. */
export type ClusterRender =
  | {cluster: string; rendered: RenderedApp}
  | {cluster: string; error: RenderError | BundleError}

/** Does in threads of its own, each with a box, all work that grows with what is in a repository. */
export interface RenderPool {
  /** One result for each cluster, in order. Rejects with `SourceError` where files cannot be read now. */
  render(order: RenderOrder): Promise<ClusterRender[]>
  /** Parses a drawbridge.yaml. Rejects with `RenderError` RENDER_TIMEOUT, RENDER_OUT_OF_MEMORY. */
  parseConfig(text: string): Promise<ParsedConfig>
  /** Makes ready for the first render. Never rejects. */
  warm(): Promise<void>
  close(): Promise<void>
}

export interface RenderPoolOptions {
  modules: RendererModules
  /** @default as many as the machine has cores */
  threads?: number
  /** How long one app may take for one cluster. @default limits.renderTimeoutSeconds */
  timeoutSeconds?: number
}

/** Opens a pool. Threads start when they are needed, and do not keep the process alive. */
export function createRenderPool(options: RenderPoolOptions): RenderPool {
  const {modules, threads = availableParallelism(), timeoutSeconds = limits.renderTimeoutSeconds} = options
  const compile = {
    kustomize: memoizeAsync(async () => WebAssembly.compile(await readFile(modules.kustomize))),
    helm: memoizeAsync(async () => WebAssembly.compile(await readFile(modules.helm))),
  }
  const start = (): RenderThread => startRenderThread({module: (name) => compile[name](), timeoutSeconds})
  const idle: RenderThread[] = []
  const waiting: {resolve: (thread: RenderThread) => void; reject: (error: unknown) => void}[] = []
  let started = 0

  /** A thread that works for this scope already, else any, else a new one, else the next that is free. */
  const take = async (scope: string): Promise<RenderThread> => {
    for (const broken of idle.filter((thread) => thread.isBroken)) {
      idle.splice(idle.indexOf(broken), 1)
      started -= 1
    }
    const same = idle.findIndex((thread) => thread.scope === scope)
    const found = idle.splice(Math.max(same, 0), 1)[0]
    if (found !== undefined) return found
    if (started >= threads) return new Promise((resolve, reject) => waiting.push({resolve, reject}))
    const thread = start()
    started += 1
    return thread
  }
  const giveBack = (thread: RenderThread): void => {
    const next = waiting.shift()
    if (!thread.isBroken) {
      if (next === undefined) idle.push(thread)
      else next.resolve(thread)
      return
    }
    started -= 1
    if (next === undefined) return
    try {
      next.resolve(start())
      started += 1
    } catch (error) {
      next.reject(error)
    }
  }
  const withThread = async <T>(scope: string, use: (thread: RenderThread) => Promise<T>): Promise<T> => {
    const thread = await take(scope)
    try {
      return await use(thread)
    } finally {
      giveBack(thread)
    }
  }

  return {
    async render(order) {
      const results: ClusterRender[] = []
      // A thread that had to be ended gave up at one cluster: those after it are rendered in another.
      while (results.length < order.clusters.length) {
        const rest = {...order, clusters: order.clusters.slice(results.length)}
        results.push(...(await withThread(order.scope, (thread) => renderIn(thread, rest))))
      }
      return results
    },
    parseConfig: (text) => withThread('', (thread) => parseIn(thread, text)),
    async warm() {
      // What fails here fails again, and is told, with the first render.
      await withThread('', (thread) => thread.run({kind: 'warm'}, undefined, () => undefined)).catch(() => undefined)
    },
    async close() {
      await Promise.all(idle.splice(0).map((thread) => thread.close()))
    },
  }
}

/** One result for each cluster, up to the one at which the thread had to be ended. */
async function renderIn(
  thread: RenderThread,
  {scope, view, app, clusters, policy}: RenderOrder,
): Promise<ClusterRender[]> {
  const results: ClusterRender[] = []
  const clock = view.tree.committedAt.getTime()
  try {
    await thread.run({kind: 'render', scope, app, clusters, policy, clock}, view, (reply) => {
      if (reply.kind === 'rendered') results.push({cluster: reply.rendered.cluster, rendered: reply.rendered})
      if (reply.kind === 'failed') results.push({cluster: reply.cluster, error: toError(reply)})
    })
    return results
  } catch (error) {
    if (!(error instanceof RenderError)) throw error
    const failed = clusters[results.length]
    return failed === undefined ? results : [...results, {cluster: failed.metadata.name, error}]
  }
}

async function parseIn(thread: RenderThread, text: string): Promise<ParsedConfig> {
  let parsed: ParsedConfig | undefined
  await thread.run({kind: 'config', text}, undefined, (reply) => {
    if (reply.kind === 'config') parsed = reply.parsed
  })
  if (parsed === undefined) throw new TypeError('a thread gave no answer')
  return parsed
}

function toError(reply: Extract<WorkerReply, {kind: 'failed'}>): RenderError | BundleError {
  const {code, message, place} = reply
  switch (code) {
    case 'DIGEST_MISMATCH':
    case 'SIZE_MISMATCH':
    case 'TOO_LARGE':
    case 'MALFORMED':
      return new BundleError(code, message)
    case undefined:
      return new RenderError('RENDER_FAILED', `the render failed by a fault of Drawbridge's own: ${message}`, place)
    default:
      return new RenderError(code, message, place)
  }
}
