import {fileURLToPath} from 'node:url'
import {MessageChannel, Worker} from 'node:worker_threads'
import {describeError} from '#shared/model/drawbridge-error.ts'
import {limits} from '#shared/model/limits.ts'
import {RenderError} from '../render-error.ts'
import {answerQuestion} from './answer-questions.ts'
import type {Asked, ModuleName} from './file-questions.ts'
import type {TreeView} from './tree-view.ts'
import type {WorkerJob, WorkerReply} from './worker-messages.ts'

/** One thread in which jobs are done, one after the other. */
export interface RenderThread {
  /**
   * Does a job; `onReply` is called with each answer, and `view` answers its questions about files. Rejects with `RenderError` where
   * the thread had to be ended (it `isBroken` then), and with what reading files rejected with.
   */
  run(job: WorkerJob, view: TreeView | undefined, onReply: (reply: WorkerReply) => void): Promise<void>
  close(): Promise<void>
  readonly isBroken: boolean
  /** Of the last render. */
  readonly scope: string
}

/** What a thread needs from its pool. */
export interface ThreadMeans {
  module: (name: ModuleName) => Promise<WebAssembly.Module>
  /** How long it may be silent while it works. */
  timeoutSeconds: number
}

const ownScript = fileURLToPath(new URL('worker.ts', import.meta.url))

/** Starts a thread. It does not keep the process alive while it is idle. */
export function startRenderThread({module, timeoutSeconds}: ThreadMeans): RenderThread {
  const {port1: port, port2} = new MessageChannel()
  const signal = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(ownScript, {
    workerData: {port: port2, signal},
    transferList: [port2],
    // Nothing of this process's environment is in the box, nor in the thread around it.
    env: {},
    resourceLimits: {maxOldGenerationSizeMb: limits.renderHeapMebibytes},
    stdout: true,
    stderr: true,
  })
  let view: TreeView | undefined
  /** What an answer met that is no fault of the app. */
  let broken: unknown
  let isBroken = false
  let scope = ''
  port.on('message', (question: Asked) => {
    void answerQuestion(question, {view, module}, {port, signal}).then((error) => {
      broken ??= error
    })
  })
  // A thread may end while nobody waits for it, too.
  const noteEnd = (): void => {
    isBroken = true
  }
  worker.on('error', noteEnd).on('exit', noteEnd)
  const rest = (): void => {
    worker.unref()
    port.unref()
  }
  rest()

  const close = async (): Promise<void> => {
    port.close()
    await worker.terminate()
  }
  const run: RenderThread['run'] = (job, files, onReply) => {
    if (job.kind === 'render') scope = job.scope
    view = files
    broken = undefined
    return new Promise((resolve, reject) => {
      let timer = setTimeout(onTimeout, timeoutSeconds * 1000)
      worker.ref()
      worker.on('message', onMessage).on('error', onError).on('exit', onExit)
      worker.postMessage(job)

      function end(): void {
        clearTimeout(timer)
        worker.off('message', onMessage).off('error', onError).off('exit', onExit)
        rest()
        view = undefined
      }
      function abandon(error: RenderError): void {
        isBroken = true
        end()
        void close()
        reject(error)
      }
      function onTimeout(): void {
        abandon(new RenderError('RENDER_TIMEOUT', `it did not end within ${timeoutSeconds} seconds, and was ended`))
      }
      function onError(error: unknown): void {
        abandon(describeEnd(error))
      }
      function onExit(code: number): void {
        abandon(new RenderError('RENDER_FAILED', `the render's thread ended with exit code ${code}`))
      }
      function onMessage(reply: WorkerReply): void {
        if (reply.kind !== 'done') {
          clearTimeout(timer)
          timer = setTimeout(onTimeout, timeoutSeconds * 1000)
          onReply(reply)
          return
        }
        end()
        if (broken === undefined) resolve()
        else reject(broken)
      }
    })
  }
  return {
    run,
    close,
    get isBroken() {
      return isBroken
    },
    get scope() {
      return scope
    },
  }
}

function describeEnd(error: unknown): RenderError {
  if (error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    const message = `what it works on does not fit ${limits.renderHeapMebibytes} MiB: split the app`
    return new RenderError('RENDER_OUT_OF_MEMORY', message)
  }
  return new RenderError('RENDER_FAILED', `the render's thread ended: ${describeError(error)}`)
}
