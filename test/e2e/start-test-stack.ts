import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {type ClusterView, openClusterView} from '#cli/demo/cluster-view.ts'
import {createEventLog, type EventLog} from '#infra/local/event-log.ts'
import {createGitWorkspace, type GitWorkspace} from '#infra/local/git-workspace.ts'
import {type LocalStack, type StartStackOptions, startStack} from '#infra/local/start-stack.ts'
import {createAwsClients} from '#shared/aws/aws-clients.ts'
import {createS3ObjectStore} from '#shared/aws/s3-object-store.ts'
import type {JournalEvent, JournalEventName} from '#shared/model/journal-event.ts'
import type {ObjectStore} from '#shared/ports/object-store.ts'

/** A whole bridge with one cluster, `dev`, and a repository to push to. */
export interface TestStack {
  folder: string
  stack: LocalStack
  events: EventLog
  workspace: GitWorkspace
  cluster: ClusterView
  /** The bucket, with every right. */
  store: ObjectStore
  /** Waits for an event of an app in `dev`, of a commit where one is given, after `since`. */
  waitFor(
    event: JournalEventName,
    where?: {app?: string; commit?: string; object?: string; code?: string},
    since?: number,
  ): Promise<JournalEvent>
  stop(): Promise<void>
}

export interface TestStackOptions {
  stateDir?: string
  agentEnv?: Record<string, string>
  bridge?: StartStackOptions['bridge']
  track?: boolean
}

const eventTimeoutMilliseconds = 60_000

/** Starts a bridge for a test file; polls and sweeps come every second, so that what a lost message costs is soon made up for. */
export async function startTestStack(options: TestStackOptions = {}): Promise<TestStack> {
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-e2e-'))
  const workspace = await createGitWorkspace(folder)
  const events = createEventLog()
  const lines: string[] = []
  const stack = await startStack({
    stateDir: options.stateDir ?? join(folder, 'state'),
    clusters: ['dev'],
    repositories: options.track === false ? [] : [workspace.bare],
    env: process.env,
    onEvent: events.record,
    log: (line) => void lines.push(line),
    agentEnv: {POLL_INTERVAL_SECONDS: '1', ...options.agentEnv},
    bridge: {sweepIntervalSeconds: 3600, ...options.bridge},
  }).catch(async (error: unknown) => {
    await rm(folder, {recursive: true, force: true})
    throw error
  })
  const cluster = await openClusterView(stack.kubeconfigs.get('dev') ?? '')
  const {endpoint, region, bucket, ...credentials} = stack.bridge.s3
  const {s3} = createAwsClients({region, s3Endpoint: endpoint, credentials})
  return {
    folder,
    stack,
    events,
    workspace,
    cluster,
    store: createS3ObjectStore({client: s3, bucket}),
    waitFor: (event, where = {}, since = 0) =>
      events
        .waitFor(
          [event, ...Object.values(where)].join(' '),
          (seen) =>
            seen.event === event &&
            (where.app === undefined || seen.app === where.app) &&
            (where.code === undefined || seen.code === where.code) &&
            (where.object === undefined || seen.object?.endsWith(where.object) === true) &&
            (where.commit === undefined ||
              seen.commit === where.commit ||
              seen.revision?.endsWith(where.commit) === true),
          {since, timeoutMilliseconds: eventTimeoutMilliseconds},
        )
        .catch((error: unknown) => {
          throw new Error(
            `${error instanceof Error ? error.message : String(error)}\nlog:\n${lines.slice(-15).join('\n')}`,
          )
        }),
    async stop() {
      cluster.close()
      s3.destroy()
      await stack.stop()
      await rm(folder, {recursive: true, force: true})
    },
  }
}

/** A drawbridge.yaml with cluster `dev` and plain apps in folders of their own names. `extra` is put below `spec` of each. */
export function fleetConfig(apps: readonly string[], extra = ''): string {
  const cluster = 'apiVersion: drawbridge.dev/v1alpha1\nkind: Cluster\nmetadata: {name: dev}\n'
  return [
    cluster,
    ...apps.map(
      (app) =>
        `apiVersion: drawbridge.dev/v1alpha1\nkind: App\nmetadata: {name: ${app}}\nspec:\n  source: {path: ${app}}\n  clusters: [dev]\n  namespace: ${app}\n  createNamespace: true\n${extra}`,
    ),
  ].join('---\n')
}

/** A ConfigMap as YAML. */
export function configMapYaml(name: string, data: Readonly<Record<string, string>>): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: ${JSON.stringify(data)}\n`
}
