// npm run bench:fleet [-- --apps N]: how long a bridge without any cluster takes to publish a repository of many apps, one of them changed, and nothing.
import {createHmac} from 'node:crypto'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {parseArgs} from 'node:util'
import {createEventLog} from '#infra/local/event-log.ts'
import {findControlPlane} from '#infra/local/find-control-plane.ts'
import {createGitWorkspace} from '#infra/local/git-workspace.ts'
import {repositoryUrl} from '#infra/local/install-hook.ts'
import {findRenderers} from '#infra/local/renderers/find-renderers.ts'
import {startBridge} from '#infra/local/start-bridge.ts'
import type {JournalEvent} from '#shared/model/journal-event.ts'
import {summarise} from '../statistics.ts'
import {type Files, smallKustomization} from './render-files.ts'

const {values} = parseArgs({
  options: {apps: {type: 'string', default: '1000'}, rounds: {type: 'string', default: '10'}},
})
const [apps, rounds] = [Number(values.apps), Number(values.rounds)]
const log = (line: string): void => void process.stderr.write(`${line}\n`)

const folder = await mkdtemp(join(tmpdir(), 'drawbridge-fleet-'))
const workspace = await createGitWorkspace(folder)

async function write(files: Files): Promise<void> {
  for (const [path, content] of Object.entries(files)) await workspace.write(path, String(content))
}

const name = (index: number): string => `app-${String(index).padStart(5, '0')}`
const document = (kind: string, named: string, spec: string) =>
  `---\napiVersion: drawbridge.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${named}}\nspec: ${spec}\n`
for (let index = 0; index < apps; index++) {
  await write(smallKustomization(`apps/${name(index)}`))
}
const declared = Array.from({length: apps}, (_, index) =>
  document('App', name(index), `{source: {path: apps/${name(index)}/overlay}, clusters: [dev]}`),
)
await write({'drawbridge.yaml': `${document('Cluster', 'dev', '{}')}${declared.join('')}`})

const events = createEventLog()
const find = {env: process.env, onProgress: log}
const [tools, rendererModules] = [await findControlPlane(find), await findRenderers(find)]
const first = await workspace.push('first')
const bridge = await startBridge({
  tools,
  rendererModules,
  stateDir: join(folder, 'state'),
  repositories: [{url: repositoryUrl(workspace.bare), ref: 'main'}],
  journal: events,
  log,
  sweepIntervalSeconds: 3_600,
})
await bridge.addCluster('dev')

async function announce(commit: string): Promise<number> {
  const body = JSON.stringify({
    ref: 'refs/heads/main',
    before: '0'.repeat(40),
    after: commit,
    repository: {clone_url: repositoryUrl(workspace.bare), full_name: 'bench/fleet'},
  })
  const signature = `sha256=${createHmac('sha256', bridge.webhook.secret).update(body).digest('hex')}`
  const started = performance.now()
  const headers = {
    'content-type': 'application/json',
    'x-github-event': 'push',
    'x-github-delivery': commit,
    'x-hub-signature-256': signature,
  }
  const {status} = await fetch(bridge.webhook.url, {method: 'POST', headers, body})
  if (status !== 202) throw new Error(`the webhook answered ${status}`)
  return started
}

const startedAt = performance.now()
const timeoutMilliseconds = 1_800_000
const published = new Set<string>()
await events.waitFor(
  'the first publish',
  ({event, app, commit}) => {
    if (event === 'published' && app !== undefined && commit === first) published.add(app)
    return published.size === apps
  },
  {timeoutMilliseconds},
)
const firstSeconds = (performance.now() - startedAt) / 1e3
log(`first publish of ${apps} apps: ${firstSeconds.toFixed(1)} s`)

interface Samples {
  wall: number[]
  /** Of this process: the bridge without the S3 server. */
  cpu: number[]
}

async function measure(
  change: (round: number) => Promise<void>,
  isDone: (event: JournalEvent, commit: string) => boolean,
): Promise<Samples> {
  const samples: Samples = {wall: [], cpu: []}
  for (let round = 0; round < rounds; round++) {
    await change(round)
    const commit = await workspace.push(`round ${round}`)
    const since = events.mark()
    const before = process.cpuUsage()
    const started = await announce(commit)
    await events.waitFor('the end', (event) => isDone(event, commit), {since, timeoutMilliseconds})
    const used = process.cpuUsage(before)
    samples.wall.push(performance.now() - started)
    samples.cpu.push((used.user + used.system) / 1e3)
  }
  return samples
}

const one = await measure(
  (round) =>
    write({
      [`apps/${name(round)}/base/kustomization.yaml`]: `resources: [deployment.yaml, service.yaml]\nconfigMapGenerator:\n- name: settings\n  literals: [round=${round}]\n`,
    }),
  ({event, commit}, pushed) => event === 'published' && commit === pushed,
)
const nothing = await measure(
  (round) => write({'README.md': `round ${round}\n`}),
  ({event, message}) => event === 'skipped' && message === 'changes nothing in any cluster',
)
const format = ({wall, cpu}: Samples): string => {
  const {p50, p95} = summarise(wall)
  return `p50 ${p50.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms (CPU ${summarise(cpu).p50.toFixed(0)} ms)`
}
process.stdout.write(
  `${apps} apps: first publish ${firstSeconds.toFixed(1)} s; one changed: ${format(one)} (aim 400 ms at 1,000); nothing to do: ${format(nothing)} (aim 100 ms at 1,000)\n`,
)
await bridge.stop()
await rm(folder, {recursive: true, force: true})
