// npm run bench [-- --json FILE] [--pushes N] [--rounds N]: measures the whole bridge on this machine and prints a table.
import {writeFile} from 'node:fs/promises'
import {cpus} from 'node:os'
import {parseArgs} from 'node:util'
import {startBenchStack} from './bench-stack.ts'
import {measureDrift} from './measure-drift.ts'
import {measureFirstApply} from './measure-first-apply.ts'
import {measureIdle} from './measure-idle.ts'
import {measurePushes} from './measure-pushes.ts'
import type {Summary} from './statistics.ts'

const {values} = parseArgs({
  options: {
    json: {type: 'string'},
    pushes: {type: 'string', default: '20'},
    rounds: {type: 'string', default: '5'},
    edits: {type: 'string', default: '20'},
  },
})
const [pushes, rounds, edits] = [Number(values.pushes), Number(values.rounds), Number(values.edits)]
const log = (line: string): void => void process.stderr.write(`${line}\n`)

log('starting a bridge and a cluster')
const bench = await startBenchStack(log)
try {
  log(`${pushes} pushes of a 10-object app`)
  const push = await measurePushes(bench, pushes)
  log(`first apply of 1,000 objects, ${rounds} rounds`)
  const firstApply = await measureFirstApply(bench, rounds)
  log(`${edits} edits by hand with 1,000 objects watched`)
  const drift = await measureDrift(bench, edits)
  log('a reconcile in which nothing changed')
  const idle = await measureIdle(bench)
  const figures = {
    at: new Date().toISOString(),
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    push,
    firstApply,
    drift,
    idle,
  }
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(figures, null, 2)}\n`)
  const row = (what: string, {p50, p95, min, max}: Summary): string[] => [
    what,
    `${p50} ms`,
    `${p95} ms`,
    `${min}-${max} ms`,
  ]
  print([
    ['10-object app, from git push', 'p50', 'p95', 'range'],
    ...Object.entries(push.stages).map(([stage, summary]) => row(`  ${stage}`, summary)),
    row('  visible in the cluster', push.pushToVisible),
    row('  visible, from the webhook on', push.receivedToVisible),
    [],
    ['drift with 1,000 objects watched', 'p50', 'p95', 'range'],
    row('  noticed', drift.noticed),
    row('  healed', drift.healed),
  ])
  print([
    [],
    [`first apply of ${firstApply.objects} objects`, 'raw PATCHes', 'ours', 'ours/raw (objects/s)', 'requests/object'],
    [
      '',
      `${firstApply.rawSeconds.toFixed(2)} s`,
      `${firstApply.applySeconds.toFixed(2)} s`,
      firstApply.ratio.toFixed(2),
      firstApply.requestsPerObject.toFixed(2),
    ],
    ['  push to applied', '', `${firstApply.pushToAppliedSeconds.toFixed(2)} s`],
    [
      '  agent',
      '',
      `${firstApply.agentCpuSeconds?.toFixed(2) ?? '?'} CPU-s`,
      `${firstApply.agentMemory?.rss ?? '?'} MiB RSS`,
      `${firstApply.agentMemory?.peak ?? '?'} MiB peak`,
    ],
    [
      'reconcile, nothing changed',
      '',
      `${idle.agentCpuSeconds?.toFixed(2) ?? '?'} CPU-s`,
      `requests ${JSON.stringify(idle.requestsForUnchanged)}`,
    ],
  ])
} finally {
  await bench.stop()
}

function print(lines: readonly (readonly string[])[]): void {
  const widths = Array.from({length: 5}, (_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)))
  for (const line of lines)
    process.stdout.write(
      `${line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    )
}
