// `drawbridge dev` as a program: what it prints, what it leaves behind, what it finds again.
import assert from 'node:assert/strict'
import {chmod, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {createInterface} from 'node:readline'
import {after, before, test} from 'node:test'
import {openClusterView} from '#cli/demo/cluster-view.ts'
import {createEventLog, type EventLog} from '#infra/local/event-log.ts'
import {createGitWorkspace, type GitWorkspace} from '#infra/local/git-workspace.ts'
import {waitUntil} from '#infra/local/wait-until.ts'
import {createAwsClients} from '#shared/aws/aws-clients.ts'
import {createS3ObjectStore} from '#shared/aws/s3-object-store.ts'
import {prefixes} from '#shared/model/keys.ts'
import {runCli, startCli} from '../cli/run-cli.ts'
import {configMapYaml, fleetConfig} from './start-test-stack.ts'

interface Ready {
  event: 'ready'
  webhook: {url: string; secret: string}
  kubeconfig: string
  s3: {endpoint: string; region: string; bucket: string; accessKeyId: string; secretAccessKey: string}
  sqs: {endpoint: string}
  trustRoot: string
  publicKey: string
}

interface Dev {
  ready: Ready
  events: EventLog
  lines: string[]
  /** Processes of the stack, the launcher not counted. */
  processes(): Promise<number[]>
  end(signal: NodeJS.Signals): Promise<number | null>
}

const startTimeoutMilliseconds = 60_000
let folder: string
let workspace: GitWorkspace

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drawbridge-dev-'))
  workspace = await createGitWorkspace(folder)
  await workspace.write('drawbridge.yaml', fleetConfig(['web']))
  await workspace.write('web/a.yaml', configMapYaml('a', {value: 'one'}))
  await workspace.push('first')
  const hook = join(workspace.bare, 'hooks', 'post-receive')
  await writeFile(hook, `#!/bin/sh\ncat >> ${join(folder, 'foreign-hook.log')}\n`)
  await chmod(hook, 0o755)
})
after(() => rm(folder, {recursive: true, force: true}))

async function startDev(): Promise<Dev> {
  const child = startCli([
    'dev',
    '--json',
    '--state',
    join(folder, 'state'),
    '--cluster',
    'dev',
    '--repo',
    workspace.bare,
  ])
  const events = createEventLog()
  const lines: string[] = []
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  createInterface({input: child.stdout}).on('line', (line) => {
    lines.push(line)
    events.record(JSON.parse(line))
  })
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  const ready = await events
    .waitFor('ready', ({event}) => String(event) === 'ready', {timeoutMilliseconds: startTimeoutMilliseconds})
    .catch((error: unknown) => {
      child.kill('SIGKILL')
      throw new Error(`${String(error)}\n${errors}`)
    })
  return {
    ready: ready as unknown as Ready,
    events,
    lines,
    processes: () => descendantsOf(child.pid ?? 0),
    end: (signal) => {
      child.kill(signal)
      return ended
    },
  }
}

async function descendantsOf(pid: number): Promise<number[]> {
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim()
  const direct = children === '' ? [] : children.split(' ').map(Number)
  return [...direct, ...(await Promise.all(direct.map(descendantsOf))).flat()]
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function assertAllGone(pids: readonly number[]): Promise<void> {
  assert.ok(pids.length >= 4, `a stack has more processes than ${pids.length}`)
  const gone = await waitUntil(async () => (pids.some(isAlive) ? undefined : true), {timeoutMilliseconds: 15_000})
  assert.equal(gone, true, `still there: ${pids.filter(isAlive).join(', ')}`)
}

test('prints ready first, then a line per stage, deploys what is in the repository, and ends with nothing left behind', async () => {
  const dev = await startDev()
  const pids = await dev.processes()
  const first = JSON.parse(dev.lines[0] ?? '{}')
  assert.equal(first.event, 'ready')
  for (const [key, type] of [
    ['kubeconfig', 'string'],
    ['trustRoot', 'string'],
    ['publicKey', 'string'],
    ['webhook', 'object'],
    ['s3', 'object'],
    ['sqs', 'object'],
  ] as const) {
    assert.equal(typeof first[key], type, key)
  }
  const healthy = await dev.events.waitFor('web is healthy', ({event, app}) => event === 'healthy' && app === 'web')
  assert.match(healthy.revision ?? '', /^main@sha1:[0-9a-f]{40}$/)
  const stages = new Set(dev.events.all().map(({event}) => event))
  for (const stage of ['rendered', 'published', 'verified', 'applied', 'healthy'] as const)
    assert.ok(stages.has(stage), stage)

  const since = dev.events.mark()
  await workspace.write('web/a.yaml', configMapYaml('a', {value: 'two'}))
  const commit = await workspace.push('second')
  await dev.events.waitFor(
    'the push is applied',
    ({event, revision}) => event === 'applied' && revision?.endsWith(commit) === true,
    {since},
  )
  assert.match(await readFile(join(folder, 'foreign-hook.log'), 'utf8'), new RegExp(commit))

  const known = await waitUntil(
    async () => {
      const {status, stdout} = await runCli(['get', 'apps', '--state', join(folder, 'state'), '-o', 'json'])
      return status === 0 && stdout.includes(commit) && stdout.includes('"ready": "True"') ? stdout : undefined
    },
    {timeoutMilliseconds: 20_000},
  )
  assert.ok(known !== undefined, 'the status reaches the command line')
  assert.equal((await runCli(['status', '--state', join(folder, 'state')])).status, 0)
  const history = await runCli(['history', 'web', '--state', join(folder, 'state')])
  assert.match(history.stdout, /applied/)
  assert.match(
    (await runCli(['get', 'clusters', '--state', join(folder, 'state'), '--no-header'])).stdout,
    /^dev +current/,
  )

  await workspace.write('web/a.yaml', 'data: [')
  const broken = await workspace.push('broken')
  const failing = await waitUntil(
    async () => {
      const {status, stdout} = await runCli(['status', '--state', join(folder, 'state')])
      return status === 1 && stdout.includes('did not render') ? stdout : undefined
    },
    {timeoutMilliseconds: 20_000},
  )
  assert.match(
    failing ?? '',
    new RegExp(
      `^\\S+ main@${broken.slice(0, 7)} did not render, so what runs is older: YAML_INVALID app web: web/a.yaml:1: .*\\n\\n1 of 1 apps ready\\n`,
    ),
  )
  await workspace.write('web/a.yaml', configMapYaml('a', {value: 'two'}))
  await workspace.push('mended')
  const mended = await waitUntil(
    async () => (await runCli(['status', '--state', join(folder, 'state')])).status === 0 || undefined,
    {timeoutMilliseconds: 20_000},
  )
  assert.ok(mended, 'the mended commit ends the failure')

  assert.equal(await dev.end('SIGTERM'), 0)
  await assertAllGone(pids)
})

test('finds its objects again after a restart, replaces its own hook and keeps the foreign one', async () => {
  const dev = await startDev()
  const pids = await dev.processes()
  const {endpoint, region, bucket, ...credentials} = dev.ready.s3
  const {s3} = createAwsClients({region, s3Endpoint: endpoint, credentials})
  assert.ok((await createS3ObjectStore({client: s3, bucket}).list(prefixes.bundles)).length >= 2)
  s3.destroy()
  const view = await openClusterView(dev.ready.kubeconfig)
  assert.equal(await view.configValue('web', 'a', 'value'), 'two')
  view.close()
  const since = dev.events.mark()
  await workspace.write('web/a.yaml', configMapYaml('a', {value: 'three'}))
  const commit = await workspace.push('third')
  await dev.events.waitFor(
    'the push is applied',
    ({event, revision}) => event === 'applied' && revision?.endsWith(commit) === true,
    {since},
  )
  const foreign = (await readFile(join(folder, 'foreign-hook.log'), 'utf8'))
    .split('\n')
    .filter((line) => line.includes(commit))
  assert.equal(foreign.length, 1)

  await dev.end('SIGKILL')
  await assertAllGone(pids)
})

test('says for people what it starts, then tells a push in the order in which it happened', async () => {
  const child = startCli(['dev', '--state', join(folder, 'state'), '--cluster', 'dev', '--repo', workspace.bare])
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  let [out, errors] = ['', '']
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  const until = async (what: RegExp): Promise<void> => {
    const seen = await waitUntil(async () => what.test(out) || undefined, {timeoutMilliseconds: 60_000})
    assert.ok(seen, `${what} in ${out}\n${errors}`)
  }
  await until(/^ready\. webhook /)
  assert.match(errors, /^bridge: starting S3, SQS and the functions\ncluster dev: starting etcd/)
  assert.match(errors, /cluster dev: ready after [\d.]+ s\n/)
  await workspace.write('web/a.yaml', configMapYaml('a', {value: 'four'}))
  const short = (await workspace.push('fourth')).slice(0, 7)
  await until(new RegExp(`healthy +dev/web +main@${short}`))
  child.kill('SIGTERM')
  assert.equal(await ended, 0)
  const lines = out.split('\n').filter((line) => line.includes(short))
  assert.deepEqual(
    lines.map((line) => line.split(/ +/)[1]),
    ['received', 'rendered', 'signed', 'published', 'pulled', 'verified', 'applied', 'healthy'],
  )
  assert.doesNotMatch(`${out}${errors}`, /^\{|UNCHANGED/m)
})
