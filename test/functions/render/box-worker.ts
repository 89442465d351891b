// The thread of box-fixture.ts: it works as the render function's own does, but also tells what the programs gave before that is
// checked and put in order, and keeps an instance over many repositories where it is not asked for a new one.
import {type MessagePort, parentPort, workerData} from 'node:worker_threads'
import {createFileAnswers, createModuleAnswers, type ModuleName} from '#functions/render/box/file-questions.ts'
import {type Program, startProgram} from '#functions/render/box/program.ts'
import {createAppRender} from '#functions/render/box/render-in-box.ts'
import {RenderError} from '#functions/render/render-error.ts'
import {BundleError} from '#shared/bundle/bundle-error.ts'
import type {App, Cluster} from '#shared/model/app.ts'
import {describeError} from '#shared/model/drawbridge-error.ts'
import {limits} from '#shared/model/limits.ts'
import type {BoxResult} from './box-fixture.ts'

export interface BoxJob {
  app: App
  cluster: Cluster
  /** By an instance that nothing was rendered by. */
  fresh: boolean
}

/** `fault`: an error that no app can be to blame for. */
export type BoxReply = BoxResult | {fault: string}

const line = workerData as {port: MessagePort; signal: Int32Array}
const moduleOf = createModuleAnswers(line)
const programs = new Map<ModuleName, Program>()

function takeProgram(name: ModuleName, fresh: boolean): Program {
  const known = programs.get(name)
  if (known !== undefined && !known.isSpent && !fresh) return known
  const program = startProgram(moduleOf(name))
  programs.set(name, program)
  return program
}

function render({app, cluster, fresh}: BoxJob): BoxReply {
  const files = createFileAnswers(line, {
    maxFileBytes: limits.maxSourceFileBytes,
    maxAppBytes: limits.maxAppInputBytes,
    maxAppFiles: limits.maxAppInputFiles,
    maxKeptBytes: limits.maxKeptFileBytes,
  })
  let objects: string[] = []
  const clock = new Date(0)
  const renderFor = createAppRender(app, {
    files,
    clock,
    run(name, job, opened) {
      const result = takeProgram(name, fresh).run(job, opened, clock)
      objects = result.objects.map(({json}) => json)
      return result
    },
  })
  try {
    const {reads, warnings} = renderFor(cluster)
    const inputs = Object.keys(reads ?? {}).map((question) => question.slice(question.indexOf(' ') + 1))
    return {ok: true, objects, inputs, warnings}
  } catch (error) {
    if (error instanceof RenderError) return {ok: false, code: error.code, message: error.message, ...error.place}
    if (error instanceof BundleError) return {ok: false, code: error.code, message: error.message}
    return {fault: describeError(error)}
  }
}

parentPort?.on('message', (job: BoxJob) => parentPort?.postMessage(render(job)))
