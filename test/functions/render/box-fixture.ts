import {once} from 'node:events'
import {readFile} from 'node:fs/promises'
import {posix} from 'node:path'
import {after} from 'node:test'
import {fileURLToPath} from 'node:url'
import {MessageChannel, Worker} from 'node:worker_threads'
import {answerQuestion} from '#functions/render/box/answer-questions.ts'
import type {Asked, ModuleName} from '#functions/render/box/file-questions.ts'
import {openTreeView, type TreeView} from '#functions/render/box/tree-view.ts'
import {ALLOW_PLAINTEXT_SECRETS} from '#functions/render/check-manifests.ts'
import {findRenderers} from '#infra/local/renderers/find-renderers.ts'
import {API_VERSION} from '#shared/model/api-version.ts'
import {type App, appSpecSchema, type Cluster} from '#shared/model/app.ts'
import {memoryTree} from './box/memory-tree.ts'
import type {BoxJob, BoxReply} from './box-worker.ts'
import type {CorpusFiles, HelmOptions} from './reference-renderers.ts'

/** One render, told by the files of its repository. `path` is the app's folder from the repository's root ('' is the root). */
export interface BoxRequest {
  renderer: 'kustomize' | 'helm' | 'yaml'
  files: CorpusFiles
  path: string
  options?: HelmOptions
  /** By an instance that nothing was rendered by. */
  fresh?: boolean
}

/** `objects`: one exact JSON text each, in the order of output. `inputs`: the paths that were opened or looked for. */
export type BoxResult =
  | {ok: true; objects: string[]; inputs: string[]; warnings: unknown[]}
  | {ok: false; code: string; message: string; file?: string | undefined; line?: number | undefined}

let thread: Promise<BoxThread> | undefined
after(async () => (await thread)?.close())

/** Renders files in the box, as the render function does; many renders share an instance of a program. */
export async function renderFiles(request: BoxRequest): Promise<BoxResult> {
  thread ??= startThread()
  const job = {app: toApp(request), cluster: toCluster(request.options), fresh: request.fresh === true}
  return (await thread).render(job, openTreeView(memoryTree(request.files)))
}

interface BoxThread {
  render(job: BoxJob, view: TreeView): Promise<BoxResult>
  close(): Promise<number>
}

async function startThread(): Promise<BoxThread> {
  const modules = await findRenderers({env: process.env, onProgress: () => undefined})
  const module = async (name: ModuleName) => WebAssembly.compile(await readFile(modules[name]))
  const {port1: port, port2} = new MessageChannel()
  const signal = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(fileURLToPath(new URL('box-worker.ts', import.meta.url)), {
    workerData: {port: port2, signal},
    transferList: [port2],
    env: {},
  })
  let view: TreeView | undefined
  port.on('message', (question: Asked) => {
    if (view !== undefined) void answerQuestion(question, {view, module}, {port, signal})
  })
  port.unref()
  let last: Promise<unknown> = Promise.resolve()
  return {
    render(job, files) {
      const next = last.then(async () => {
        view = files
        worker.postMessage(job)
        const [reply] = (await once(worker, 'message')) as [BoxReply]
        if ('fault' in reply) throw new Error(`the render failed by its own fault: ${reply.fault}`)
        return reply
      })
      // One after the other, whatever became of those before.
      last = next.catch(() => undefined)
      return next
    },
    close: () => worker.terminate(),
  }
}

function toApp({renderer, path, options = {}}: BoxRequest): App {
  const {releaseName, namespace, values, valueFiles, includeCrds = true, skipSchemaValidation} = options
  const helm = {
    includeCrds,
    ...(releaseName === undefined ? {} : {releaseName}),
    ...(values === undefined ? {} : {values}),
    ...(valueFiles === undefined ? {} : {valueFiles: valueFiles.map((file) => fromFolder(path, file))}),
    ...(skipSchemaValidation === undefined ? {} : {skipSchemaValidation}),
  }
  const spec = appSpecSchema.parse({
    clusters: ['here'],
    ...(namespace === undefined ? {} : {namespace}),
    [renderer]: renderer === 'helm' ? {...helm, valueFiles: undefined} : {},
  })
  return {
    apiVersion: API_VERSION,
    kind: 'App',
    metadata: {name: 'release', annotations: {[ALLOW_PLAINTEXT_SECRETS]: 'true'}},
    // What the schema of an App refuses is handed on here all the same: the box has to hold by itself.
    spec: {
      ...spec,
      source: {path},
      ...(spec.helm === undefined || helm.valueFiles === undefined
        ? {}
        : {helm: {...spec.helm, valueFiles: helm.valueFiles}}),
    },
  }
}

/** A path from the root, written from a folder; what is no such path stays as it is. */
function fromFolder(folder: string, path: string): string {
  return path.startsWith('/') || path.includes(':') ? path : posix.relative(folder, path)
}

function toCluster({kubeVersion, apiVersions}: HelmOptions = {}): Cluster {
  return {
    apiVersion: API_VERSION,
    kind: 'Cluster',
    metadata: {name: 'here'},
    spec: {
      ...(kubeVersion === undefined ? {} : {kubeVersion}),
      ...(apiVersions === undefined ? {} : {apiVersions: [...apiVersions]}),
    },
  }
}
