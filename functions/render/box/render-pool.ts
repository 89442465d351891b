import {readFile} from 'node:fs/promises'
import {availableParallelism} from 'node:os'
import {fileURLToPath} from 'node:url'
import {MessageChannel, Worker} from 'node:worker_threads'
import {memoizeAsync} from '#shared/async/memoize-async.ts'
import {BundleError} from '#shared/bundle/bundle-error.ts'
import type {App, Cluster} from '#shared/model/app.ts'
import {describeError} from '#shared/model/drawbridge-error.ts'
import {limits} from '#shared/model/limits.ts'
import {RenderError} from '../render-error.ts'
import {answerQuestion} from './answer-questions.ts'
import type {FileQuestion, ModuleName} from './file-questions.ts'
import type {RenderedApp} from './render-in-box.ts'
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
}

/** What came of one cluster: the app, or why there is none (`RenderError` or `BundleError`). */
export type ClusterRender =
  | {cluster: string; rendered: RenderedApp}
  | {cluster: string; error: RenderError | BundleError}

/** Renders apps in threads of its own, each in a box. */
export interface RenderPool {
  /** One result for each cluster, in order. Rejects with `SourceError` where files cannot be read now. */
  render(order: RenderOrder): Promise<ClusterRender[]>
  close(): Promise<void>
}

export interface RenderPoolOptions {
  modules: RendererModules
  /** The script of a worker. @default the one beside this file */
  workerScript?: string
  /** @default as many as the machine has cores */
  threads?: number
  /** How long one app may take for one cluster. @default limits.renderTimeoutSeconds */
  timeoutSeconds?: number
}

interface Thread {
  run(order: RenderOrder): Promise<ClusterRender[]>
  close(): Promise<void>
  isBroken: boolean
  scope: string
}

/** Opens a pool. Threads start when they are needed, and do not keep the process alive. */
export function createRenderPool(options: RenderPoolOptions): RenderPool {
  const size = options.threads ?? availableParallelism()
  const compile = {
    kustomize: memoizeAsync(async () => WebAssembly.compile(await readFile(options.modules.kustomize))),
    helm: memoizeAsync(async () => WebAssembly.compile(await readFile(options.modules.helm))),
  }
  const idle: Thread[] = []
  const waiting: {scope: string; take: (thread: Thread) => void}[] = []
  let started = 0

  const take = async (scope: string): Promise<Thread> => {
    const same = idle.findIndex((thread) => thread.scope === scope)
    const found = idle.splice(Math.max(same, 0), 1)[0]
    if (found !== undefined) return found
    if (started < size) {
      started += 1
      return startThread(options, (name) => compile[name]())
    }
    return new Promise((resolve) => waiting.push({scope, take: resolve}))
  }
  const giveBack = (thread: Thread): void => {
    if (thread.isBroken) {
      started -= 1
      const next = waiting.shift()
      if (next === undefined) return
      started += 1
      next.take(startThread(options, (name) => compile[name]()))
      return
    }
    const next = waiting.shift()
    if (next === undefined) idle.push(thread)
    else next.take(thread)
  }
  return {
    async render(order) {
      const thread = await take(order.scope)
      try {
        return await thread.run(order)
      } finally {
        giveBack(thread)
      }
    },
    async close() {
      await Promise.all(idle.splice(0).map((thread) => thread.close()))
    },
  }
}

const ownScript = fileURLToPath(new URL('worker.ts', import.meta.url))

function startThread(options: RenderPoolOptions, module: (name: ModuleName) => Promise<WebAssembly.Module>): Thread {
  const {port1: port, port2} = new MessageChannel()
  const signal = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(options.workerScript ?? ownScript, {
    workerData: {port: port2, signal},
    transferList: [port2],
    // Nothing of this process's environment is in the box, nor in the thread around it.
    env: {},
    resourceLimits: {maxOldGenerationSizeMb: limits.renderHeapMebibytes},
    stdout: true,
    stderr: true,
  })
  worker.unref()
  port.unref()
  const timeoutSeconds = options.timeoutSeconds ?? limits.renderTimeoutSeconds
  let view: TreeView | undefined
  /** What an answer met that is no fault of the app. */
  let broken: unknown
  port.on('message', (question: FileQuestion) => {
    if (view === undefined) return
    void answerQuestion(question, {view, module}, {port, signal}).then((error) => {
      broken ??= error
    })
  })
  port.unref()

  const thread: Thread = {
    isBroken: false,
    scope: '',
    async close() {
      port.close()
      await worker.terminate()
    },
    run(order) {
      thread.scope = order.scope
      view = order.view
      broken = undefined
      const results: ClusterRender[] = []
      return new Promise<ClusterRender[]>((resolve, reject) => {
        let timer = setTimeout(onTimeout, timeoutSeconds * 1000)
        const end = (): void => {
          clearTimeout(timer)
          worker.off('message', onReply)
          worker.off('error', onError)
          worker.off('exit', onExit)
          worker.unref()
          port.unref()
          view = undefined
        }
        /** Ends the thread: the cluster that it was at failed so, and those after it for the same reason. */
        function abandon(error: RenderError): void {
          thread.isBroken = true
          end()
          void thread.close()
          for (const {metadata} of order.clusters.slice(results.length)) results.push({cluster: metadata.name, error})
          resolve(results)
        }
        function onTimeout(): void {
          abandon(new RenderError('RENDER_TIMEOUT', `it did not end within ${timeoutSeconds} seconds, and was ended`))
        }
        function onError(error: unknown): void {
          const isMemory = error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
          abandon(
            isMemory
              ? new RenderError(
                  'RENDER_OUT_OF_MEMORY',
                  `what it rendered does not fit ${limits.renderHeapMebibytes} MiB: split the app`,
                )
              : new RenderError('RENDER_FAILED', `the renderer's thread ended: ${describeError(error)}`),
          )
        }
        function onExit(code: number): void {
          abandon(new RenderError('RENDER_FAILED', `the renderer's thread ended with exit code ${code}`))
        }
        function onReply(reply: WorkerReply): void {
          switch (reply.kind) {
            case 'ready':
              return
            case 'rendered':
              results.push({cluster: reply.rendered.cluster, rendered: reply.rendered})
              break
            case 'failed':
              results.push({cluster: reply.cluster, error: toError(reply)})
              break
            case 'done':
              end()
              if (broken === undefined) resolve(results)
              else reject(broken)
              return
          }
          clearTimeout(timer)
          timer = setTimeout(onTimeout, timeoutSeconds * 1000)
        }
        worker.ref()
        worker.on('message', onReply)
        worker.on('error', onError)
        worker.on('exit', onExit)
        worker.postMessage({
          scope: order.scope,
          app: order.app,
          clusters: order.clusters,
          clock: order.view.tree.committedAt.getTime(),
        })
      })
    },
  }
  return thread
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
