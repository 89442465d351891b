import {mkdtemp, readFile, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {createKubeClient} from '#agent/kube/create-kube-client.ts'
import type {KubeClient} from '#agent/kube/kube-client.ts'
import {loadKubeconfigEndpoint} from '#agent/kube/load-endpoint.ts'
import {createTransport, type KubeTransport} from '#agent/kube/send-request.ts'
import {createEventLog, type EventLog} from '#infra/local/event-log.ts'
import {createGitWorkspace, type GitWorkspace} from '#infra/local/git-workspace.ts'
import {type LocalStack, startStack} from '#infra/local/start-stack.ts'
import {asFile, config, smallApp} from './fleet.ts'

/** A running bridge with one cluster, `bench`, and the benchmark's repository. */
export interface BenchStack {
  stack: LocalStack
  events: EventLog
  workspace: GitWorkspace
  /** The cluster's API server, as its administrator. */
  client: KubeClient
  transport: KubeTransport
  stop(): Promise<void>
}

/** Starts a bridge, pushes the small app and waits until it is healthy. */
export async function startBenchStack(log: (line: string) => void): Promise<BenchStack> {
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-bench-'))
  const workspace = await createGitWorkspace(folder)
  const events = createEventLog()
  const stack = await startStack({
    stateDir: join(folder, 'state'),
    clusters: ['bench'],
    repositories: [workspace.bare],
    env: process.env,
    onEvent: events.record,
    log,
  })
  const transport = createTransport(await loadKubeconfigEndpoint(stack.kubeconfigs.get('bench') ?? ''))
  const client = createKubeClient(transport)
  await workspace.write('drawbridge.yaml', config)
  await workspace.write('small/app.yaml', asFile(smallApp('first')))
  await workspace.write(
    'large/empty.yaml',
    asFile([{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'placeholder'}}]),
  )
  await workspace.push('The benchmark')
  await events.waitFor('the small app is healthy', ({event, app}) => event === 'healthy' && app === 'small', {
    timeoutMilliseconds: 60_000,
  })
  await events.waitFor('the large app is healthy', ({event, app}) => event === 'healthy' && app === 'large', {
    timeoutMilliseconds: 60_000,
  })
  return {
    stack,
    events,
    workspace,
    client,
    transport,
    async stop() {
      client.close()
      await stack.stop()
      await rm(folder, {recursive: true, force: true})
    },
  }
}

/** Resident memory of a process in MiB: now, and at its peak (Linux only; undefined elsewhere). */
export async function readMemory(pid: number): Promise<{rss: number; peak: number} | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => undefined)
  const kib = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status ?? '')?.[1])
  return status === undefined
    ? undefined
    : {rss: Math.round(kib('VmRSS') / 1024), peak: Math.round(kib('VmHWM') / 1024)}
}

/** CPU seconds that a process has used so far (Linux only). */
export async function readCpuSeconds(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticksPerSecond = 100
  return fields === undefined ? undefined : (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}
