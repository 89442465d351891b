// The thread in which renders run: it is ended from outside where one takes too long, and what it does blocks nobody.
import {type MessagePort, parentPort, workerData} from 'node:worker_threads'
import {BundleError} from '#shared/bundle/bundle-error.ts'
import {describeError} from '#shared/model/drawbridge-error.ts'
import {limits} from '#shared/model/limits.ts'
import {parseConfig} from '../parse-config.ts'
import {RenderError} from '../render-error.ts'
import type {BoxFiles} from './box-files.ts'
import {createFileAnswers, createModuleAnswers, type ModuleName} from './file-questions.ts'
import {type Program, type ProgramResult, startProgram} from './program.ts'
import {createAppRender} from './render-in-box.ts'
import type {WorkerJob, WorkerReply} from './worker-messages.ts'

const {port, signal} = workerData as {port: MessagePort; signal: Int32Array}
const line = {port, signal}
const moduleOf = createModuleAnswers(line)
/** Programs that no job was given to. */
const fresh = new Map<ModuleName, Program>()

/** What belongs to one declaration at one commit, and to nobody else. */
let tenancy = openTenancy('')

function openTenancy(scope: string) {
  return {
    scope,
    programs: new Map<ModuleName, Program>(),
    files: createFileAnswers(line, {
      maxFileBytes: limits.maxSourceFileBytes,
      maxAppBytes: limits.maxAppInputBytes,
      maxAppFiles: limits.maxAppInputFiles,
      maxKeptBytes: limits.maxKeptFileBytes,
    }),
  }
}

function takeProgram(name: ModuleName): Program {
  const own = tenancy.programs.get(name)
  if (own !== undefined && !own.isSpent) return own
  const program = fresh.get(name) ?? startProgram(moduleOf(name))
  fresh.delete(name)
  tenancy.programs.set(name, program)
  return program
}

function runProgram(name: ModuleName, job: object, files: BoxFiles, clock: Date): ProgramResult {
  const program = takeProgram(name)
  try {
    return program.run(job, files, clock)
  } finally {
    // Let go before another is started: both do not fit.
    if (program.isSpent) tenancy.programs.delete(name)
  }
}

function renderJob({scope, app, clusters, policy, clock}: Extract<WorkerJob, {kind: 'render'}>): void {
  if (tenancy.scope !== scope) tenancy = openTenancy(scope)
  const {files} = tenancy
  const at = new Date(clock)
  const render = createAppRender(app, {
    files,
    policy,
    clock: at,
    run: (name, job, opened) => runProgram(name, job, opened, at),
  })
  for (const cluster of clusters) {
    files.startApp()
    try {
      reply({kind: 'rendered', rendered: render(cluster)})
    } catch (error) {
      reply({kind: 'failed', cluster: cluster.metadata.name, ...describeFailure(error)})
    }
  }
}

function startFresh(): void {
  try {
    fresh.set('kustomize', startProgram(moduleOf('kustomize')))
  } catch (error) {
    // The next render starts one, or fails and tells it.
    if (!(error instanceof Error)) throw error
  }
}

function describeFailure(error: unknown) {
  if (error instanceof RenderError) return {code: error.code, message: error.message, place: error.place}
  if (error instanceof BundleError) return {code: error.code, message: error.message, place: {}}
  return {code: undefined, message: describeError(error), place: {}}
}

function reply(message: WorkerReply): void {
  parentPort?.postMessage(message)
}

parentPort?.on('message', (job: WorkerJob) => {
  if (job.kind === 'render') renderJob(job)
  if (job.kind === 'config') {
    // Another declaration's, it may be: what was kept for the last one must not take its room.
    tenancy = openTenancy('')
    reply({kind: 'config', parsed: parseConfig(job.text)})
  }
  reply({kind: 'done'})
  // The next declaration finds a program that was started while nobody waited for it.
  if ((job.kind === 'warm' || tenancy.programs.has('kustomize')) && !fresh.has('kustomize')) {
    setImmediate(startFresh)
  }
})
