import {mkdir, readFile} from 'node:fs/promises'
import {join} from 'node:path'

import * as z from 'zod'

import {
  apiServerFlags,
  type ClusterPorts,
  controllerManagerFlags,
  etcdFlags,
  kwokFlags,
  schedulerFlags,
} from './cluster-flags.ts'
import type {ControlPlaneTools} from './find-control-plane.ts'
import {findFreePort} from './find-free-port.ts'
import {type ClusterUser, issueCertificates, writeKubeconfig} from './issue-kubeconfigs.ts'
import {LocalStackError} from './local-stack-error.ts'
import {takeLock} from './lock-file.ts'
import {type ServerProcess, startProcess, waitUntilReady} from './processes.ts'
import {type ApiServerRequest, apiServerRequest} from './request-api-server.ts'
import {loadState, saveState} from './state-file.ts'
import {waitUntil} from './wait-until.ts'

export interface StartClusterOptions {
  tools: ControlPlaneTools
  /** Directory of the cluster's data, certificates and logs. A later start with the same one resumes the cluster. */
  stateDir: string
  /** The cluster's name in its kubeconfigs. */
  name: string
  /** What runs besides etcd and the API server; `kwok` adds one simulated node. @default none */
  components?: {controllerManager?: boolean; scheduler?: boolean; kwok?: boolean}
  /** Called with a line for people when a component ends by itself. */
  log?: (line: string) => void
  extraApiServerArgs?: string[]
}

/** A running Kubernetes control plane of this process, on loopback. */
export interface LocalCluster {
  readonly name: string
  /** `https://127.0.0.1:PORT`; the port is the same at every start with the same directory, if it is free then. */
  readonly server: string
  /** Kubeconfig of a user in system:masters, mode 0600. */
  readonly kubeconfigFile: string
  /** PEM certificate of the authority that signed the server's certificate. */
  readonly caFile: string
  /** Processes by component name, for measuring. */
  processIds(): Record<string, number>
  /** Writes a kubeconfig for a user with a client certificate of this cluster, and returns the file's name. */
  issueKubeconfig(user: ClusterUser, file: string): Promise<string>
  stopApiServer(): Promise<void>
  /** Starts the API server again on the same port, and returns when it is ready. */
  startApiServer(): Promise<void>
  stop(): Promise<void>
}

const portsSchema = z.object({apiServer: z.number(), etcd: z.number(), etcdPeer: z.number()})
const readyLimitMilliseconds = 60_000
const maxPortAttempts = 4
// It waits for its watches to end, which no client does of itself; etcd has all that it must not lose.
const apiServerGraceMilliseconds = 1_500
export const simulatedNodeName = 'node-1'

/**
 * Starts a real Kubernetes control plane on free loopback ports, and returns when it can be used: the API server ready,
 * the default namespace there, with a controller manager its service account too, with kwok a node that is Ready.
 * Its processes end when this one does, however that happens.
 *
 * Throws BAD_INPUT, IN_USE (another process runs this directory), PROCESS_DIED or NOT_READY with the end of a log.
 */
export async function startCluster(options: StartClusterOptions): Promise<LocalCluster> {
  const {stateDir, components = {}} = options
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(options.name)) {
    throw new LocalStackError(
      'BAD_INPUT',
      `cluster name ${JSON.stringify(options.name)}: use at most 63 of a-z, 0-9 and "-", with no "-" at either end`,
    )
  }
  await mkdir(stateDir, {recursive: true, mode: 0o700})
  const lock = await takeLock(join(stateDir, 'lock'))
  if ('heldBy' in lock) {
    throw new LocalStackError(
      'IN_USE',
      `process ${lock.heldBy} runs the cluster in ${stateDir}: end it, or use another directory`,
    )
  }
  const running = new Map<string, ServerProcess>()
  const stopAll = async () => {
    // The API server last but one, etcd last: each ends at once only while what it talks to is there.
    await Promise.all([...running].filter(([name]) => !coreNames.has(name)).map(([, server]) => server.stop()))
    await running.get('kube-apiserver')?.stop(apiServerGraceMilliseconds)
    await running.get('etcd')?.stop()
    await lock.release()
  }
  try {
    return await start(options, components, running, stopAll)
  } catch (error) {
    await stopAll()
    throw error
  }
}

const coreNames = new Set(['etcd', 'kube-apiserver'])

async function start(
  options: StartClusterOptions,
  components: NonNullable<StartClusterOptions['components']>,
  running: Map<string, ServerProcess>,
  stopAll: () => Promise<void>,
): Promise<LocalCluster> {
  const {tools, stateDir, name, log = () => undefined} = options
  const files = {certs: join(stateDir, 'certs'), etcdData: join(stateDir, 'etcd')}
  const logFile = (component: string) => join(stateDir, 'logs', `${component}.log`)
  const [admin, manager, scheduler, simulator] = await issueCertificates(tools.program, files.certs, [
    {name: 'admin', groups: ['system:masters']},
    {name: 'system:kube-controller-manager'},
    {name: 'system:kube-scheduler'},
    {name: 'simulator', groups: ['system:masters']},
  ])
  if (!admin || !manager || !scheduler || !simulator) {
    throw new LocalStackError(
      'PROCESS_DIED',
      `${tools.program} certs answered with fewer certificates than it was asked for`,
    )
  }
  const ca = await readFile(join(files.certs, 'ca.crt'))

  const startComponent = async (component: string, flags: string[], external?: string): Promise<ServerProcess> => {
    const server = await startProcess({
      name: `${component} of cluster ${name}`,
      command: tools.program,
      args: ['--until-stdin-closes', ...(external ? ['exec', external] : [component]), ...flags],
      logFile: logFile(component),
    })
    running.set(component, server)
    server.onUnexpectedEnd((how) => log(`${server.name} ended unexpectedly (${how}); see ${logFile(component)}`))
    return server
  }
  const startApiServer = async (ports: ClusterPorts, ask: ApiServerRequest) => {
    const flags = [...apiServerFlags(files, ports), ...(options.extraApiServerArgs ?? [])]
    const server = await startComponent('kube-apiserver', flags, tools.kubeApiserver)
    const probe = async () =>
      (await ask('GET', '/readyz')).status === 200 && (await ask('GET', '/api/v1/namespaces/default')).status === 200
    await waitUntilReady(server, logFile('kube-apiserver'), probe, readyLimitMilliseconds)
  }

  const {ports, server, ask} = await startOnFreePorts(stateDir, async (ports) => {
    const server = `https://127.0.0.1:${ports.apiServer}`
    const ask = apiServerRequest(server, ca, admin)
    await startComponent('etcd', etcdFlags(files, ports), tools.etcd)
    await startApiServer(ports, ask).catch(async (error: unknown) => {
      await running.get('kube-apiserver')?.stop(apiServerGraceMilliseconds)
      const etcd = running.get('etcd')
      // The API server fails for want of etcd; then etcd's log tells why.
      if (etcd?.ended() !== undefined) await waitUntilReady(etcd, logFile('etcd'), async () => false, 0)
      await etcd?.stop()
      throw error
    })
    return {ports, server, ask}
  })

  const place = {clusterName: name, server, certs: files.certs}
  const kubeconfigFile = await writeKubeconfig(join(stateDir, 'admin.kubeconfig'), {...place, user: admin})
  const internalKubeconfig = (component: string, user: typeof admin) =>
    writeKubeconfig(join(files.certs, `${component}.kubeconfig`), {...place, user})
  if (components.controllerManager) {
    const file = await internalKubeconfig('kube-controller-manager', manager)
    await startComponent('kube-controller-manager', controllerManagerFlags(files, file))
  }
  if (components.scheduler) {
    await startComponent('kube-scheduler', schedulerFlags(await internalKubeconfig('kube-scheduler', scheduler)))
  }
  if (components.kwok) {
    await startComponent('kwok', kwokFlags(await internalKubeconfig('kwok', simulator)))
    await createNode(ask)
  }
  await Promise.all([
    components.controllerManager &&
      waitFor(running, 'kube-controller-manager', logFile, async () => {
        return (await ask('GET', '/api/v1/namespaces/default/serviceaccounts/default')).status === 200
      }),
    components.kwok && waitFor(running, 'kwok', logFile, () => isNodeReady(ask)),
  ])

  return {
    name,
    server,
    kubeconfigFile,
    caFile: join(files.certs, 'ca.crt'),
    processIds: () => Object.fromEntries([...running].map(([component, {pid}]) => [component, pid])),
    async issueKubeconfig(user, file) {
      const [issued] = await issueCertificates(tools.program, files.certs, [user])
      if (!issued) throw new LocalStackError('PROCESS_DIED', `${tools.program} certs issued nothing for ${user.name}`)
      return writeKubeconfig(file, {...place, user: issued})
    },
    stopApiServer: async () => running.get('kube-apiserver')?.stop(apiServerGraceMilliseconds),
    startApiServer: async () => {
      await running.get('kube-apiserver')?.stop(apiServerGraceMilliseconds)
      await startApiServer(ports, ask)
    },
    stop: stopAll,
  }
}

// Between finding a port free and listening on it another program may take it: then once more, with other ports.
async function startOnFreePorts<T>(stateDir: string, attempt: (ports: ClusterPorts) => Promise<T>): Promise<T> {
  const file = join(stateDir, 'ports.json')
  const last = await loadState(file, portsSchema)
  for (let round = 1; ; round++) {
    const ports: ClusterPorts = {
      apiServer: await findFreePort(round === 1 ? last?.apiServer : undefined),
      etcd: await findFreePort(round === 1 ? last?.etcd : undefined),
      etcdPeer: await findFreePort(round === 1 ? last?.etcdPeer : undefined),
    }
    await saveState(file, ports)
    try {
      return await attempt(ports)
    } catch (error) {
      const retry = error instanceof LocalStackError && error.code === 'PORT_TAKEN' && round < maxPortAttempts
      if (!retry) throw error
    }
  }
}

async function waitFor(
  running: Map<string, ServerProcess>,
  component: string,
  logFile: (component: string) => string,
  probe: () => Promise<boolean>,
): Promise<void> {
  const server = running.get(component)
  if (server) await waitUntilReady(server, logFile(component), probe, readyLimitMilliseconds)
}

async function createNode(ask: ApiServerRequest): Promise<void> {
  const node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: simulatedNodeName,
      labels: {'kubernetes.io/hostname': simulatedNodeName, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64'},
    },
  }
  const conflict = 409
  const created = await waitUntil(
    async () => {
      const {status} = await ask('POST', '/api/v1/nodes', node)
      return status === 201 || status === conflict || undefined
    },
    {timeoutMilliseconds: readyLimitMilliseconds},
  )
  if (!created) throw new LocalStackError('NOT_READY', `the API server did not accept node ${simulatedNodeName}`)
}

const nodeSchema = z.object({
  status: z.object({conditions: z.array(z.object({type: z.string(), status: z.string()})).optional()}).optional(),
})

async function isNodeReady(ask: ApiServerRequest): Promise<boolean> {
  const {status, text} = await ask('GET', `/api/v1/nodes/${simulatedNodeName}`)
  if (status !== 200) return false
  const node = nodeSchema.parse(JSON.parse(text))
  return (
    node.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false
  )
}
