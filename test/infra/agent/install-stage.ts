import {type ChildProcess, execFile, spawn} from 'node:child_process'
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {createInterface} from 'node:readline'
import {parseAllDocuments, stringify} from 'yaml'
import {z} from 'zod'
import {loadKubeconfigEndpoint} from '#agent/kube/load-endpoint.ts'
import {createTransport, type KubeTransport} from '#agent/kube/send-request.ts'
import {buildBundles} from '#infra/build-bundles.ts'
import {findControlPlane} from '#infra/local/find-control-plane.ts'
import {findFreePort} from '#infra/local/find-free-port.ts'
import {startObjectStore} from '#infra/local/start-object-store.ts'
import {startQueues} from '#infra/local/start-queues.ts'
import {createAwsClients} from '#shared/aws/aws-clients.ts'
import {createS3ObjectStore} from '#shared/aws/s3-object-store.ts'
import {createSqsSender} from '#shared/aws/sqs-sender.ts'
import {referenceTools} from '#test/functions/render/reference-renderers.ts'
import {type OwnTestCluster, startTestCluster} from '../../agent/open-test-cluster.ts'
import {createTestPublisher, type TestPublisher} from '../../agent/publish-state.ts'
import {runCli} from '../../cli/run-cli.ts'
import {type AuditLog, createAuditLog} from './audit-log.ts'

const root = join(import.meta.dirname, '..', '..', '..')

const probeSchema = z.looseObject({httpGet: z.strictObject({path: z.string(), port: z.string()})})
const deploymentSchema = z.object({
  kind: z.literal('Deployment'),
  spec: z.object({
    template: z.object({
      metadata: z.looseObject({}),
      spec: z.looseObject({
        containers: z.tuple([
          z.looseObject({
            env: z.array(z.object({name: z.string(), value: z.string()})),
            ports: z.tuple([z.object({name: z.string(), containerPort: z.number(), protocol: z.literal('TCP')})]),
            readinessProbe: probeSchema,
            livenessProbe: probeSchema,
          }),
        ]),
      }),
    }),
  }),
})
export type InstalledDeployment = z.infer<typeof deploymentSchema>

/** A running agent: the bundled file, with the environment that the Deployment gives it. */
export interface InstalledAgent {
  readonly lines: string[]
  readonly process: ChildProcess
  /** Asks its endpoints, as a kubelet or Prometheus does. */
  ask(path: string): Promise<{status: number; text: string}>
  stop(): Promise<number | null>
}

/** A cluster, a bucket and queues for agents that are installed as users install them. */
export interface InstallStage {
  readonly cluster: OwnTestCluster
  readonly admin: KubeTransport
  readonly audit: AuditLog
  readonly publisher: TestPublisher
  /** Flags of `drawbridge agent manifests` that lead to this bridge. */
  readonly flags: readonly string[]
  /** Runs kubectl as the administrator; rejects with what it wrote to stderr. */
  kubectl(args: readonly string[], input?: string): Promise<string>
  /** Runs helm as the administrator, in the project's root; rejects with what it wrote to stderr. */
  helm(args: readonly string[]): Promise<string>
  /** Prints the installation, applies it with kubectl, and returns its Deployment. */
  install(flags: readonly string[]): Promise<InstalledDeployment>
  /** A client with a token of a ServiceAccount, as a pod of it has. */
  clientOf(namespace: string, serviceAccount: string): Promise<KubeTransport>
  startAgent(deployment: InstalledDeployment, namespace: string): Promise<InstalledAgent>
  stop(): Promise<void>
}

/** Starts all of it; the agent is bundled once. */
export async function startInstallStage(): Promise<InstallStage> {
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-install-'))
  const tools = await findControlPlane({env: process.env, onProgress: () => undefined})
  const programs = await referenceTools()
  const audit = await createAuditLog(folder)
  const cluster = await startTestCluster({controllerManager: true}, audit.flags)
  const {server, caFile, kubeconfigFile} = cluster.cluster
  const s3 = await startObjectStore({tools, stateDir: join(folder, 's3'), bucket: 'bridge', log: () => undefined})
  const sqs = await startQueues()
  const settings = {visibilityTimeoutSeconds: 5}
  const queueUrl = await sqs.createQueue('dev', settings)
  const statusQueueUrl = await sqs.createQueue('status', settings)
  const {endpoint, region, bucket, rootCredentials} = s3
  const clients = createAwsClients({
    region,
    s3Endpoint: endpoint,
    sqsEndpoint: sqs.endpoint,
    credentials: rootCredentials,
  })
  const store = createS3ObjectStore({client: clients.s3, bucket})
  const publisher = await createTestPublisher('dev', store, createSqsSender({client: clients.sqs, queueUrl}))
  const trustRootFile = join(folder, 'trust-root.json')
  await writeFile(trustRootFile, JSON.stringify(publisher.trustRoot))
  const admin = createTransport(await loadKubeconfigEndpoint(kubeconfigFile))
  const [bundle] = await buildBundles({root, outDir: join(folder, 'dist'), only: ['agent']})
  if (bundle === undefined) throw new Error('no bundle of the agent')
  const opened: KubeTransport[] = [admin]
  const nodeFlags = await nodeFlagsOfImage()

  const run = (name: 'kubectl' | 'helm', args: readonly string[], input = '') =>
    new Promise<string>((resolve, reject) => {
      const env = {KUBECONFIG: kubeconfigFile, HOME: folder}
      const child = execFile(programs[name], args, {cwd: root, env, timeout: 60_000}, (error, stdout, stderr) => {
        if (error === null) resolve(stdout)
        else reject(new Error(`${name} ${args.join(' ')}: ${stderr}`, {cause: error}))
      })
      child.stdin?.end(input)
    })
  const kubectl: InstallStage['kubectl'] = (args, input) => run('kubectl', args, input)

  async function kubeconfigOf(namespace: string, serviceAccount: string): Promise<string> {
    const token = await kubectl(['create', 'token', serviceAccount, '--namespace', namespace])
    const file = join(folder, `${namespace}-${serviceAccount}.kubeconfig`)
    const content = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{name: 'dev', cluster: {server, 'certificate-authority': caFile}}],
      users: [{name: 'agent', user: {token: token.trim()}}],
      contexts: [{name: 'dev', context: {cluster: 'dev', user: 'agent'}}],
      'current-context': 'dev',
    }
    await writeFile(file, stringify(content), {mode: 0o600})
    return file
  }

  return {
    cluster,
    admin,
    audit,
    publisher,
    flags: [
      ...['--cluster', 'dev', '--region', region, '--bucket', bucket, '--image', 'registry.example/agent:1'],
      ...['--queue-url', queueUrl, '--status-queue-url', statusQueueUrl, '--trust-root', trustRootFile],
    ],
    kubectl,
    helm: (args) => run('helm', args),
    async install(flags) {
      const {status, stdout, stderr} = await runCli(['agent', 'manifests', '--complete', ...flags])
      if (status !== 0) throw new Error(stderr)
      await kubectl(['apply', '--filename', '-'], stdout)
      const objects = parseAllDocuments(stdout).map((document) => document.toJS())
      return deploymentSchema.parse(objects.find(({kind}) => kind === 'Deployment'))
    },
    async clientOf(namespace, serviceAccount) {
      const client = createTransport(await loadKubeconfigEndpoint(await kubeconfigOf(namespace, serviceAccount)))
      opened.push(client)
      return client
    },
    async startAgent(deployment, namespace) {
      const given = deployment.spec.template.spec.containers[0].env.map(({name, value}) => [name, value])
      const port = await findFreePort()
      const child = spawn(
        process.execPath,
        [...nodeFlags, '--import', join(root, 'infra', 'local', 'end-with-parent.js'), bundle.file],
        {
          stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
          env: {
            ...Object.fromEntries(given),
            // What a pod has to itself or finds in its file system, and what stands for AWS here.
            METRICS_PORT: String(port),
            TRUST_ROOT_FILE: trustRootFile,
            KUBECONFIG: await kubeconfigOf(namespace, 'drawbridge-agent'),
            AWS_ACCESS_KEY_ID: rootCredentials.accessKeyId,
            AWS_SECRET_ACCESS_KEY: rootCredentials.secretAccessKey,
            AWS_ENDPOINT_URL_S3: endpoint,
            AWS_ENDPOINT_URL_SQS: sqs.endpoint,
          },
        },
      )
      const lines: string[] = []
      const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
      for (const stream of [child.stdout, child.stderr]) {
        if (stream !== null) createInterface({input: stream}).on('line', (line) => void lines.push(line))
      }
      return {
        lines,
        process: child,
        async ask(path) {
          const answer = await fetch(`http://127.0.0.1:${port}${path}`, {signal: AbortSignal.timeout(10_000)})
          return {status: answer.status, text: await answer.text()}
        },
        async stop() {
          child.kill('SIGTERM')
          const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
          const code = await ended
          clearTimeout(timer)
          return code
        },
      }
    },
    async stop() {
      for (const client of opened) client.close()
      await publisher.close()
      await sqs.stop()
      await s3.stop()
      await cluster.stop()
      await rm(folder, {recursive: true, force: true})
    },
  }
}

/** The flags with which the image starts Node. */
async function nodeFlagsOfImage(): Promise<string[]> {
  const text = await readFile(join(root, 'infra', 'agent', 'Containerfile'), 'utf8')
  const [, words = '[]'] = /^ENTRYPOINT (.*)$/m.exec(text) ?? []
  return z.array(z.string()).parse(JSON.parse(words)).slice(1, -1)
}

/** Resident memory of a process in MiB, as Linux counts it. */
export async function residentMebibytes(processId: number): Promise<number> {
  const [, kibibytes] = /VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${processId}/status`, 'utf8')) ?? []
  return Number(kibibytes) / 1024
}
