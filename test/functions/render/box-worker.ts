// The thread of box-fixture.ts: as the render function's own, but that it also tells what the programs gave, before it is checked
// and put in order, and that it keeps an instance over many repositories where it is asked to.
import {type MessagePort, parentPort, workerData} from 'node:worker_threads'
import {askMain, createFileAnswers, type ModuleName} from '#functions/render/box/file-questions.ts'
import {type Program, startProgram} from '#functions/render/box/program.ts'
import {createAppRender} from '#functions/render/box/render-in-box.ts'
import type {WorkerJob} from '#functions/render/box/worker-messages.ts'
import {RenderError} from '#functions/render/render-error.ts'
import {BundleError} from '#shared/bundle/bundle-error.ts'
import {describeError} from '#shared/model/drawbridge-error.ts'
import {limits} from '#shared/model/limits.ts'

/** A job of this scope gets an instance that nothing was rendered by: see box-fixture.ts. */
const FRESH_SCOPE = 'fresh'

const line = workerData as {port: MessagePort; signal: Int32Array}
const modules = new Map<ModuleName, WebAssembly.Module>()
const programs = new Map<ModuleName, Program>()

function moduleOf(name: ModuleName): WebAssembly.Module {
  const known = modules.get(name)
  if (known !== undefined) return known
  const answer = askMain(line, {ask: 'module', name})
  if (!('module' in answer)) throw new TypeError('the answer is of another question')
  modules.set(name, answer.module)
  return answer.module
}

function takeProgram(name: ModuleName, scope: string): Program {
  const known = programs.get(name)
  if (known !== undefined && !known.isSpent && scope !== FRESH_SCOPE) return known
  const program = startProgram(moduleOf(name))
  programs.set(name, program)
  return program
}

function renderJob(job: WorkerJob): void {
  if (job.kind !== 'render') throw new TypeError('these threads render')
  const {scope, app, clusters, clock} = job

  const files = createFileAnswers(line, {
    maxFileBytes: limits.maxSourceFileBytes,
    maxAppBytes: limits.maxAppInputBytes,
    maxAppFiles: limits.maxAppInputFiles,
    maxKeptBytes: limits.maxKeptFileBytes,
  })
  let objects: string[] = []
  const at = new Date(clock)
  const render = createAppRender(app, {
    files,
    clock: at,
    run(name, job, opened) {
      const result = takeProgram(name, scope).run(job, opened, at)
      objects = result.objects.map(({json}) => json)
      return result
    },
  })
  for (const cluster of clusters) {
    try {
      parentPort?.postMessage({kind: 'rendered', rendered: {...render(cluster), objects}})
    } catch (error) {
      const known = error instanceof RenderError || error instanceof BundleError
      const place = error instanceof RenderError ? error.place : {}
      const message = known ? error.message : describeError(error)
      parentPort?.postMessage({
        kind: 'failed',
        cluster: cluster.metadata.name,
        code: known ? error.code : undefined,
        message,
        place,
      })
    }
  }
  parentPort?.postMessage({kind: 'done'})
}

parentPort?.on('message', renderJob)
