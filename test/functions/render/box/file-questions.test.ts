import assert from 'node:assert/strict'
import {once} from 'node:events'
import {test} from 'node:test'
import {MessageChannel, Worker} from 'node:worker_threads'
import type {Answered, Asked} from '#functions/render/box/file-questions.ts'

const module = JSON.stringify(new URL('../../../../functions/render/box/file-questions.ts', import.meta.url).href)
/** Asks for three files, one after the other, and tells what it was answered. */
const asker = `
const {parentPort, workerData: line} = require('node:worker_threads')
import(${module}).then(({askMain}) => {
  parentPort.postMessage(['a', 'b', 'c'].map((path) => askMain(line, {ask: 'stat', path}).stat.path))
})`

test('an answer is that of its own question, however late the wake-up call of another one or its answer comes', async (t) => {
  const {port1: port, port2} = new MessageChannel()
  const signal = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(asker, {eval: true, workerData: {port: port2, signal}, transferList: [port2]})
  t.after(() => worker.terminate())
  port.on('message', async ({number, question}: Asked) => {
    assert.ok(question.ask === 'stat')
    const answer = (to: number, path: string) => {
      port.postMessage({number: to, answer: {stat: {type: 'folder', path}}} satisfies Answered)
      Atomics.add(signal, 0, 1)
      Atomics.notify(signal, 0)
    }
    // Once it waits: one call without an answer, and one answer of the question before.
    while (Atomics.notify(signal, 0) === 0) await new Promise(setImmediate)
    answer(number - 1, 'of another')
    answer(number, question.path)
  })
  const [told] = await once(worker, 'message', {signal: AbortSignal.timeout(20_000)})
  port.close()
  assert.deepEqual(told, ['a', 'b', 'c'])
})
