import assert from 'node:assert/strict'
import {createPublishHandler} from '#functions/publish/create-handler.ts'
import type {PublishConfig, PublishPorts} from '#functions/publish/ports.ts'
import {verifyDesiredState} from '#shared/attest/verify-desired-state.ts'
import {packBundle} from '#shared/bundle/pack-bundle.ts'
import {API_VERSION} from '#shared/model/api-version.ts'
import {type DesiredState, declarationSchema, type PresentApp} from '#shared/model/desired-state.ts'
import {digestOf} from '#shared/model/digest.ts'
import type {JournalEvent} from '#shared/model/journal-event.ts'
import {keys} from '#shared/model/keys.ts'
import type {Manifest} from '#shared/model/manifest.ts'
import type {NameRange} from '#shared/model/name-range.ts'
import {type Outcome, outcomeSchema} from '#shared/model/outcome.ts'
import type {PublishRange, PublishRequest} from '#shared/model/publish-request.ts'
import {startTrace} from '#shared/model/trace.ts'
import {createMemoryGitSource} from '#test/fakes/memory-git-source.ts'
import {createMemoryObjectStore} from '#test/fakes/memory-object-store.ts'
import {createMemoryQueue} from '#test/fakes/memory-queue.ts'
import {createMemorySigner} from '#test/fakes/memory-signer.ts'

export const REPOSITORY = 'https://git.example/fleet'
export const MAIN = 'refs/heads/main'
export const COMMIT_1 = '1'.repeat(40)
export const COMMIT_2 = '2'.repeat(40)

type ReadyEntry = Extract<PublishRequest['apps'][number], {outcome: 'ready'}>

export interface AppOptions {
  cluster?: string
  repository?: string
  commit?: string
  allow?: ReadyEntry['allow']
  namespace?: string
  createNamespace?: boolean
  sync?: Partial<PresentApp['sync']>
  /** Tells one render from another where the manifests are the same. */
  inputs?: string
}

export type PublishKit = ReturnType<typeof createPublishKit>

/** A publish function over ports in memory, and what tests ask of it. */
export function createPublishKit({cluster = 'dev'}: {cluster?: string} = {}) {
  const store = createMemoryObjectStore()
  const git = createMemoryGitSource()
  const signer = createMemorySigner()
  const outcomes = createMemoryQueue()
  const deadLetters = createMemoryQueue()
  const statusQueue = createMemoryQueue()
  const notifications: string[] = []
  const events: JournalEvent[] = []
  let now = Date.parse('2026-01-01T00:00:00.000Z')
  const clock = {now: () => new Date(now)}
  const ports: PublishPorts = {
    store,
    git,
    signer,
    trustRoot: async () => signer.trustRoot,
    clusters: {
      notify: async (_, body) => {
        notifications.push(body)
        return 'sent'
      },
    },
    statusQueue,
    outcomes,
    deadLetters,
    clock,
    journal: {record: (event) => events.push(event)},
  }
  git.moveRef(REPOSITORY, MAIN, COMMIT_1)

  const app = async (name: string, manifests: Manifest[], options: AppOptions = {}): Promise<ReadyEntry> => {
    const {repository = REPOSITORY, commit = COMMIT_1} = options
    const inputs = digestOf(options.inputs ?? JSON.stringify([name, manifests]))
    const renderer = {name: 'yaml', version: '1'} as const
    const {bytes, address} = packBundle({app: name, cluster: options.cluster ?? cluster, inputs, renderer}, manifests)
    await store.create(keys.bundle(address.digest), bytes)
    return {
      outcome: 'ready',
      app: {
        state: 'present',
        name,
        declaredIn: {repository, ref: MAIN},
        source: {repository, ref: MAIN, commit, path: name},
        revision: `main@sha1:${commit}`,
        inputs,
        bundle: address,
        createNamespace: options.createNamespace ?? false,
        sync: {
          prune: true,
          allowEmpty: false,
          drift: 'heal',
          timeoutSeconds: 300,
          deletionPolicy: 'Delete',
          ...options.sync,
        },
        trace: startTrace({pushed: clock.now().toISOString()}),
        ...(options.namespace !== undefined && {namespace: options.namespace}),
      },
      ...(options.allow !== undefined && {allow: options.allow}),
    }
  }

  const request = (
    apps: PublishRequest['apps'],
    {repository = REPOSITORY, commit = COMMIT_1} = {},
  ): PublishRequest => ({
    apiVersion: API_VERSION,
    kind: 'PublishRequest',
    cluster,
    declaredIn: {repository, ref: MAIN},
    commit,
    heads: [{repository, ref: MAIN, commit}],
    apps,
    trace: startTrace(),
  })

  /** The same about the names of a range. */
  const range = (
    names: NameRange,
    apps: PublishRange['apps'],
    options?: {repository?: string; commit?: string},
  ): PublishRange => ({...request(apps, options), kind: 'PublishRange', range: names})

  /** Runs the handler on one message and tells whether SQS should deliver it again. */
  const deliver = async (
    message: unknown,
    {
      receiveCount = 1,
      over = {},
      config = {},
    }: {receiveCount?: number; over?: Partial<PublishPorts>; config?: Partial<PublishConfig>} = {},
  ): Promise<'done' | 'again'> => {
    const handler = createPublishHandler({...ports, ...over}, {repositories: trackedBy(message), ...config})
    const body = typeof message === 'string' ? message : JSON.stringify(message)
    const record = {messageId: 'm', body, attributes: {ApproximateReceiveCount: String(receiveCount)}}
    const {batchItemFailures} = await handler({Records: [record]})
    return batchItemFailures.length === 0 ? 'done' : 'again'
  }

  const desired = (): DesiredState | undefined => {
    const stored = store.objects.get(keys.desired(cluster))
    if (stored === undefined) return undefined
    return verifyDesiredState(stored.bytes, {trustRoot: signer.trustRoot, cluster, clock}).desired
  }

  const presentDesired = (): DesiredState => {
    const state = desired()
    assert.ok(state !== undefined, 'nothing is published')
    return state
  }

  return {
    cluster,
    store,
    git,
    signer,
    ports,
    outcomes,
    deadLetters,
    statusQueue,
    notifications,
    events,
    app,
    request,
    range,
    deliver,
    desired: presentDesired,
    desiredOrNone: desired,
    sentOutcomes: (): Outcome[] => outcomes.sent.map(({body}) => outcomeSchema.parse(JSON.parse(body))),
    advance: (seconds: number) => {
      now += seconds * 1_000
    },
  }
}

/** Tracks what a message is about: whoever tests what is not tracked says so. */
function trackedBy(message: unknown): PublishConfig['repositories'] {
  if (typeof message !== 'object' || message === null || !('declaredIn' in message)) return []
  const {repository, ref} = declarationSchema.parse(message.declaredIn)
  return [{url: repository, ref}]
}

/** A ConfigMap, the smallest object there is. */
export function configMap(name: string, namespace?: string): Manifest {
  return {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name, ...(namespace !== undefined && {namespace})}, data: {}}
}
