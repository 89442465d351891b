// npm run bench:renders [-- --json FILE] [--rounds N] [--cold APPS]: measures renders in the box beside kubectl and helm as programs, in one run.
import {writeFile} from 'node:fs/promises'
import {availableParallelism, cpus, loadavg} from 'node:os'
import {join} from 'node:path'
import {parseArgs} from 'node:util'
import {createRenderPool, type RenderPool} from '#functions/render/box/render-pool.ts'
import {openTreeView} from '#functions/render/box/tree-view.ts'
import {findRenderers} from '#infra/local/renderers/find-renderers.ts'
import {mapBounded} from '#shared/async/map-bounded.ts'
import {memoryTree} from '../../functions/render/box/memory-tree.ts'
import {devCluster, webApp} from '../../functions/render/box/render-files.ts'
import {renderWithHelm, renderWithKustomize, withFiles} from '../../functions/render/reference-renderers.ts'
import {readMemory} from '../read-process.ts'
import {summarise} from '../statistics.ts'
import {definitions, type Files, largeKustomization, smallChart, smallKustomization} from './render-files.ts'

const {values} = parseArgs({
  options: {json: {type: 'string'}, rounds: {type: 'string', default: '20'}, cold: {type: 'string', default: '1000'}},
})
const rounds = Number(values.rounds)

interface Row {
  work: string
  program: number | undefined
  box: number
  unit: 'ms' | 's' | 'MiB'
  aim: string
  holds: boolean
}

const modules = await findRenderers({env: process.env, onProgress: (line) => process.stderr.write(`${line}\n`)})

async function time(run: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await run()
  return performance.now() - started
}

let scopes = 0
/** Renders once, in the box. Each round gets another App, so that nothing of an earlier render is remembered. */
async function render(pool: RenderPool, files: Files, path: string, scope: string): Promise<void> {
  scopes += 1
  const app = webApp({source: {path}, namespace: `n${scopes}`})
  const [result] = await pool.render({scope, view: openTreeView(memoryTree(files)), app, clusters: [devCluster]})
  if (result === undefined || 'error' in result) throw result?.error ?? new TypeError('no result')
}

async function measureWarm(
  pool: RenderPool,
  files: Files,
  path: string,
  warmRounds: number,
  program: (files: Files) => Promise<{ok: boolean}>,
) {
  const box: number[] = []
  const processes: number[] = []
  await withFiles(files, async () => {
    scopes += 1
    // One commit for all rounds, and none of another measurement's.
    const scope = `commit ${scopes}`
    // What runs often is compiled anew by the engine: the figures are of a function that has rendered for a while.
    for (let round = 0; round < warmRounds; round++) await render(pool, files, path, scope)
    for (let round = 0; round < rounds; round++) {
      box.push(await time(() => render(pool, files, path, scope)))
      processes.push(
        await time(async () => {
          if (!(await program(files)).ok) throw new TypeError('the program failed')
        }),
      )
    }
  })
  return {box: summarise(box).p50, program: summarise(processes).p50}
}

const rows: Row[] = []
function add(
  work: string,
  unit: Row['unit'],
  figures: {box: number; program?: number},
  aim: string,
  holds: boolean,
): void {
  rows.push({work, unit, box: figures.box, program: figures.program, aim, holds})
}

const pool = createRenderPool({modules, threads: 1})
const small = await measureWarm(pool, smallKustomization(), 'overlay', 20, (files) =>
  renderWithKustomize(files, 'overlay'),
)
add('kustomize, 3 objects, warm', 'ms', small, '>= 5 x', small.program >= 5 * small.box)
const large = await measureWarm(pool, largeKustomization(1_000), 'overlay', 2, (files) =>
  renderWithKustomize(files, 'overlay'),
)
add('kustomize, 1,000 objects, warm', 'ms', large, '>= 1 x', large.program >= large.box)
const chart = await measureWarm(pool, smallChart(), '.', 20, (files) =>
  renderWithHelm(files, '.', {releaseName: 'web'}),
)
add('helm, 3 objects, warm', 'ms', chart, '>= 2 x', chart.program >= 2 * chart.box)
const memory = await readMemory(process.pid)
if (memory !== undefined)
  add('memory, both renderers warm in one thread', 'MiB', {box: memory.rss}, '<= 450', memory.rss <= 450)

for (let round = 0; round < 4; round++) await render(pool, definitions(4.5), '.', 'definitions')
const spent: number[] = []
for (let round = 0; round < Math.min(rounds, 5); round++) {
  const before = process.cpuUsage()
  await render(pool, definitions(4.5), '.', 'definitions')
  const {user, system} = process.cpuUsage(before)
  spent.push((user + system) / 1e6)
}
const cpuSeconds = summarise(spent).p50
add('4.5 MB of CRDs rendered, CPU', 's', {box: cpuSeconds}, '<= 0.8', cpuSeconds <= 0.8)
await pool.close()

const coldApps = Number(values.cold)
const many: Files = Object.assign(
  {},
  ...Array.from({length: coldApps}, (_, index) => smallKustomization(`app-${index}`)),
)
const paths = Array.from({length: coldApps}, (_, index) => `app-${index}/overlay`)
const coldBox = await time(async () => {
  const fresh = createRenderPool({modules})
  const view = openTreeView(memoryTree(many))
  await mapBounded(paths, availableParallelism() + 1, (path) =>
    fresh.render({scope: 'many', view, app: webApp({source: {path}}), clusters: [devCluster]}),
  )
  await fresh.close()
})
const coldPrograms = await withFiles(many, (folder) =>
  time(() => mapBounded(paths, availableParallelism(), (path) => runKustomize(join(folder, path)))),
)
add(
  `${coldApps} kustomize apps, cold`,
  's',
  {box: coldBox / 1e3, program: coldPrograms / 1e3},
  '>= 4 x',
  coldPrograms >= 4 * coldBox,
)

async function runKustomize(folder: string): Promise<void> {
  const {referenceTools} = await import('../../functions/render/reference-renderers.ts')
  const {execFile} = await import('node:child_process')
  const {kubectl} = await referenceTools()
  await new Promise<void>((resolve, reject) => {
    execFile(kubectl, ['kustomize', folder], {env: {HOME: '/nonexistent'}}, (error) =>
      error === null ? resolve() : reject(error),
    )
  })
}

const about = {
  at: new Date().toISOString(),
  node: process.version,
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  load: loadavg()[0],
}
const text = rows.map(({work, unit, program, box, aim, holds}) =>
  [
    work.padEnd(44),
    (program === undefined ? '-' : `${program.toFixed(1)} ${unit}`).padStart(12),
    `${box.toFixed(1)} ${unit}`.padStart(12),
    (program === undefined ? '' : `${(program / box).toFixed(1)} x`).padStart(8),
    aim.padStart(10),
    holds ? ' yes' : ' NO',
  ].join(''),
)
process.stdout.write(
  `${'work'.padEnd(44)}${'program'.padStart(12)}${'box'.padStart(12)}${'ratio'.padStart(8)}${'aim'.padStart(10)} holds\n${text.join('\n')}\n`,
)
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify({...about, rows}, undefined, 2)}\n`)
