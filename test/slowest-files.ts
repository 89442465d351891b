import type {TestEvent} from 'node:test/reporters'

const SHOWN = 10

/** A reporter of node:test that ends with the files that took longest: where a suite that is to be faster begins. */
// biome-ignore lint/style/noDefaultExport: node:test takes a reporter's default export.
export default async function* tellSlowestFiles(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const files: {file: string; seconds: number}[] = []
  for await (const {type, data} of source) {
    if (type === 'test:summary' && data.file !== undefined) {
      files.push({file: data.file, seconds: data.duration_ms / 1_000})
    }
  }
  if (files.length <= 1) return
  const slowest = files.sort((a, b) => b.seconds - a.seconds).slice(0, SHOWN)
  yield `slowest files, in seconds\n`
  for (const {file, seconds} of slowest) {
    yield `${seconds.toFixed(1).padStart(7)} ${file.slice(file.lastIndexOf('/test/') + 1)}\n`
  }
}
