// npm run bench [-- --json FILE] [--only NAMES]: measures the whole bridge on this machine and prints a table.
import {writeFile} from 'node:fs/promises'
import {cpus, loadavg} from 'node:os'
import {parseArgs} from 'node:util'
import {startBenchStack} from './bench-stack.ts'
import type {Figures} from './figures.ts'
import {largeApp} from './fleet.ts'
import {formatText} from './format-table.ts'
import {listRows} from './list-rows.ts'
import {measureDrift} from './measure-drift.ts'
import {measureFirstApply} from './measure-first-apply.ts'
import {measureHuge} from './measure-huge.ts'
import {measureIdle} from './measure-idle.ts'
import {measureMemory} from './measure-memory.ts'
import {measureOneChange} from './measure-one-change.ts'
import {measurePrune} from './measure-prune.ts'
import {measurePushes} from './measure-pushes.ts'
import {measureUnchanged} from './measure-unchanged.ts'
import {pushApp} from './push-app.ts'

const OBJECTS = 1_000
const parts = ['pushes', 'apply', 'unchanged', 'change', 'drift', 'prune', 'memory', 'idle', 'huge'] as const
const {values} = parseArgs({
  options: {
    json: {type: 'string'},
    pushes: {type: 'string', default: '20'},
    rounds: {type: 'string', default: '5'},
    edits: {type: 'string', default: '20'},
    idle: {type: 'string', default: '65'},
    large: {type: 'string', default: '10000'},
    only: {type: 'string', default: parts.join(',')},
    'from-sources': {type: 'boolean', default: false},
    'node-arguments': {type: 'string', default: ''},
  },
})
const [pushes, rounds, edits] = [Number(values.pushes), Number(values.rounds), Number(values.edits)]
const chosen = new Set(values.only.split(','))
const unknown = [...chosen].filter((name) => !parts.some((part) => part === name))
if (unknown.length > 0) {
  process.stderr.write(`--only ${unknown.join(',')}: the parts are ${parts.join(', ')}\n`)
  process.exit(2)
}
const log = (line: string): void => void process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`)
const wants = (part: (typeof parts)[number], what: string): boolean => {
  if (chosen.has(part)) log(what)
  return chosen.has(part)
}

const figures: Figures = {
  at: new Date().toISOString(),
  node: process.version,
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  loadBefore: loadavg()[0] ?? Number.NaN,
  agent: values['from-sources'] ? 'sources' : 'bundle',
}
log('starting a bridge and a cluster')
const bench = await startBenchStack({
  fromSources: values['from-sources'],
  nodeArguments: values['node-arguments'].split(' ').filter((word) => word !== ''),
  log,
})
try {
  if (wants('pushes', `${pushes} pushes of a 10-object app`)) figures.pushes = await measurePushes(bench, pushes)
  if (wants('apply', `first apply of ${OBJECTS} objects, ${rounds} rounds`)) {
    figures.firstApply = await measureFirstApply(bench, {objects: OBJECTS, rounds})
  } else if (['unchanged', 'change', 'drift', 'prune'].some((part) => chosen.has(part))) {
    await (await pushApp(bench, 'large', largeApp(OBJECTS), 'The large app')).at('healthy')
  }
  if (wants('unchanged', `a reconcile in which nothing changed, ${rounds} rounds each way`)) {
    figures.unchanged = await measureUnchanged(bench, rounds)
  }
  if (wants('change', `one ConfigMap changed, ${rounds} rounds`)) {
    figures.oneChange = await measureOneChange(bench, {objects: OBJECTS, rounds})
  }
  if (wants('drift', `${edits} objects edited, scaled and deleted by hand`)) {
    figures.drift = await measureDrift(bench, edits)
  }
  if (wants('prune', `prune of half of them, ${rounds} rounds`)) {
    figures.prune = await measurePrune(bench, {objects: OBJECTS, rounds})
  }
  if (wants('memory', `memory, ${rounds} rounds`)) {
    figures.memory = await measureMemory(bench, {objects: OBJECTS, rounds})
  }
  if (wants('idle', `${values.idle} s of nothing`)) figures.idle = await measureIdle(bench, Number(values.idle))
  if (Number(values.large) > 0 && wants('huge', `${values.large} objects in one app`)) {
    figures.huge = await measureHuge(bench, Number(values.large))
  }
  process.stdout.write(formatText(listRows(figures)))
} finally {
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(figures, null, 2)}\n`)
  await bench.stop()
}
