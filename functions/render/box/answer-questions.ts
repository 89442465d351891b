import type {MessagePort} from 'node:worker_threads'
import {describeError} from '#shared/model/drawbridge-error.ts'
import {RenderError} from '../render-error.ts'
import type {Answered, Asked, FileAnswer, FileQuestion, ModuleName} from './file-questions.ts'
import {isTooLarge, type TreeView} from './tree-view.ts'

/** What the main thread answers a worker with. */
export interface Answering {
  /** Absent where the job may ask for no file. */
  view: TreeView | undefined
  module: (name: ModuleName) => Promise<WebAssembly.Module>
}

/** Answers one question of a worker that waits. An error that is not the app's is answered as such, and returned. */
export async function answerQuestion(
  {number, question}: Asked,
  {view, module}: Answering,
  line: {port: MessagePort; signal: Int32Array},
): Promise<unknown> {
  let broken: unknown
  let answer: FileAnswer
  try {
    answer = await find(question, view, module)
  } catch (error) {
    if (error instanceof RenderError) {
      answer = {failed: {code: error.code, message: error.message, place: error.place}}
    } else if (isTooLarge(error)) {
      answer = {failed: {code: 'INPUT_TOO_LARGE', message: error.message, place: {}}}
    } else {
      broken = error
      answer = {broken: describeError(error)}
    }
  }
  line.port.postMessage({number, answer} satisfies Answered, 'bytes' in answer ? [answer.bytes.buffer] : [])
  Atomics.add(line.signal, 0, 1)
  Atomics.notify(line.signal, 0)
  return broken
}

async function find(
  question: FileQuestion,
  view: TreeView | undefined,
  module: Answering['module'],
): Promise<FileAnswer> {
  if (question.ask === 'module') return {module: await module(question.name)}
  if (view === undefined) throw new TypeError('a job without files asked for one')
  switch (question.ask) {
    case 'stat':
      return {stat: await view.stat(question.path)}
    case 'list':
      return {list: await view.list(question.path)}
    case 'read':
      // A copy of its own: what is cloned otherwise is all that shares its memory, other repositories' files and all.
      return {bytes: new Uint8Array(await view.read(question.path, question.maxBytes))}
  }
}
