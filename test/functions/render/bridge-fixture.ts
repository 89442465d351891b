import {execFile} from 'node:child_process'
import {mkdir, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {promisify} from 'node:util'
import {createRenderPool, type RenderPool} from '#functions/render/box/render-pool.ts'
import {createRenderHandler, type RenderConfig, type RenderPorts} from '#functions/render/create-handler.ts'
import {findRenderers} from '#infra/local/renderers/find-renderers.ts'
import {parseEnvelope, signEnvelope} from '#shared/attest/envelope.ts'
import {PAYLOAD_TYPES} from '#shared/attest/payload-types.ts'
import {parseDesiredState} from '#shared/attest/verify-desired-state.ts'
import {unpackBundle} from '#shared/bundle/unpack-bundle.ts'
import {createGitSource} from '#shared/git/create-git-source.ts'
import {unpackBody} from '#shared/messages/pack-body.ts'
import type {BundleAddress, DesiredApp, DesiredState} from '#shared/model/desired-state.ts'
import type {JournalEvent} from '#shared/model/journal-event.ts'
import {keys} from '#shared/model/keys.ts'
import type {Manifest} from '#shared/model/manifest.ts'
import {isInRange} from '#shared/model/name-range.ts'
import {type Outcome, outcomeSchema} from '#shared/model/outcome.ts'
import {type PublishRange, publishRangeSchema} from '#shared/model/publish-request.ts'
import {startTrace} from '#shared/model/trace.ts'
import {type Clock, systemClock} from '#shared/ports/clock.ts'
import type {ObjectStore} from '#shared/ports/object-store.ts'

const run = promisify(execFile)
let pool: Promise<RenderPool> | undefined

/** The renderers of this process. Their threads end with it. */
export function renderPool(): Promise<RenderPool> {
  pool ??= findRenderers({env: process.env, onProgress: () => undefined}).then((modules) => createRenderPool({modules}))
  return pool
}

/** Runs git in a folder, whatever the machine's own settings are. */
export async function git(folder: string, ...args: string[]): Promise<string> {
  const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.com', '-c', 'commit.gpgsign=false']
  const env = {PATH: process.env.PATH, HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1'}
  const {stdout} = await run('git', [...identity, '-c', 'init.defaultBranch=main', ...args], {cwd: folder, env})
  return stdout.trim()
}

export type Files = Record<string, string | Uint8Array>

/** A bare repository with a work tree to commit from. */
export interface TestRepository {
  url: string
  workTree: string
  /** Writes files (undefined removes one), commits and pushes; the new commit. */
  push(files: Record<string, string | Uint8Array | undefined>, branch?: string): Promise<string>
  read(path: string): Promise<string>
}

export async function createRepository(folder: string, name: string): Promise<TestRepository> {
  const url = join(folder, `${name}.git`)
  const workTree = join(folder, name)
  await git(folder, 'init', '-q', '--bare', url)
  await git(folder, 'clone', '-q', url, workTree)
  return {
    url,
    workTree,
    read: (path) => readFile(join(workTree, path), 'utf8'),
    async push(files, branch = 'main') {
      await git(workTree, 'checkout', '-q', '-B', branch)
      for (const [path, content] of Object.entries(files)) {
        const target = join(workTree, path)
        if (content === undefined) await rm(target, {recursive: true})
        else {
          await mkdir(dirname(target), {recursive: true})
          await writeFile(target, content)
        }
      }
      await git(workTree, 'add', '-A', '-f')
      await git(workTree, 'commit', '-q', '--allow-empty', '-m', 'change')
      await git(workTree, 'push', '-q', '--force', 'origin', branch)
      return git(workTree, 'rev-parse', 'HEAD')
    },
  }
}

/** The render function over a store and queues in memory, and a stand-in for publish that believes every request. */
export class RenderBridge {
  readonly objects = new Map<string, {bytes: Uint8Array; etag: string}>()
  readonly journal: JournalEvent[] = []
  readonly deadLetters: {body: string; reason: string | undefined}[] = []
  readonly folder: string
  readonly ports: RenderPorts
  readonly config: RenderConfig
  /** What the function left for a later run, in order: ContinueRender messages. */
  readonly rests: string[] = []
  readonly #requests: string[] = []
  readonly #outcomes: string[] = []
  readonly #handler: ReturnType<typeof createRenderHandler>
  #etag = 0

  constructor(
    folder: string,
    found: RenderPool,
    repositories: RenderConfig['repositories'],
    ports: Partial<RenderPorts>,
    config: Partial<RenderConfig> = {},
  ) {
    this.folder = folder
    this.ports = {
      store: this.#store(),
      git: createGitSource({cacheDir: join(folder, 'cache'), clock: systemClock, privateNetworks: ['127.0.0.0/8']}),
      publishQueue: {send: async (body) => void this.#requests.push(body)},
      renderQueue: {send: async (body) => void this.rests.push(body)},
      outcomes: {send: async (body) => void this.#outcomes.push(body)},
      deadLetters: {send: async (body, options) => void this.deadLetters.push({body, reason: options?.reason})},
      renderers: found,
      clock: createSteadyClock(),
      journal: {record: (event) => void this.journal.push(event)},
      ...ports,
    }
    this.config = {repositories, ...config}
    this.#handler = createRenderHandler(this.ports, this.config)
  }

  /** Hands a PushEvent to the handler; what it sent. */
  async push(repository: string, after?: string, ref = 'refs/heads/main') {
    const trace = startTrace({pushed: new Date().toISOString()})
    const apiVersion = 'drawbridge.dev/v1alpha1'
    return this.send({
      apiVersion,
      kind: 'PushEvent',
      provider: 'github',
      delivery: 'd',
      repository,
      ref,
      ...(after && {after}),
      trace,
    })
  }

  async sweep() {
    return this.send({apiVersion: 'drawbridge.dev/v1alpha1', kind: 'Sweep', trace: startTrace()})
  }

  async send(message: unknown) {
    const body = typeof message === 'string' ? message : JSON.stringify(message)
    const attributes = {
      ApproximateReceiveCount: '1',
      SentTimestamp: '0',
      SenderId: 't',
      ApproximateFirstReceiveTimestamp: '0',
    }
    const record = {messageId: 'm1', receiptHandle: 'r', body, attributes, messageAttributes: {}, md5OfBody: ''}
    const source = {eventSource: 'aws:sqs', eventSourceARN: 'arn:aws:sqs:local:0:render', awsRegion: 'local'}
    const {batchItemFailures} = await this.#handler({Records: [{...record, ...source}]})
    const requests: PublishRange[] = this.#requests.splice(0).map((text) => publishRangeSchema.parse(unpackBody(text)))
    const outcomes: Outcome[] = this.#outcomes.splice(0).map((text) => outcomeSchema.parse(JSON.parse(text)))
    return {
      requests,
      outcomes,
      findings: outcomes.flatMap(({findings}) => findings),
      again: batchItemFailures.length > 0,
    }
  }

  /** Does with requests what publish would if nothing were wrong: in their ranges the cluster's desired state becomes what they say. */
  async publish(
    requests: readonly PublishRange[],
    life: {issuedAt: string; expiresAt: string} = freshLife(),
  ): Promise<void> {
    for (const {cluster, apps, declaredIn, range, trace} of requests) {
      const failed = new Set(apps.flatMap((each) => (each.outcome === 'failed' ? [each.name] : [])))
      const kept = this.desiredApps(cluster).filter(
        ({name, declaredIn: {repository}}) =>
          !isInRange(name, range) || failed.has(name) || repository !== declaredIn.repository,
      )
      const ready: DesiredApp[] = apps.flatMap((each) => (each.outcome === 'ready' ? [each.app] : []))
      const present = [...kept, ...ready].sort((a, b) => (a.name < b.name ? -1 : 1))
      const state: DesiredState = {
        apiVersion: 'drawbridge.dev/v1alpha1',
        kind: 'DesiredState',
        cluster,
        version: 1,
        ...life,
        apps: present,
        trace,
      }
      const signer = {keyId: async () => 'sha256:0', sign: async () => new Uint8Array(8)}
      const bytes = await signEnvelope(signer, PAYLOAD_TYPES.desiredState, Buffer.from(JSON.stringify(state)))
      await this.ports.store.put(keys.desired(cluster), bytes)
    }
  }

  /** What a cluster is told to run. */
  desiredApps(cluster: string): DesiredApp[] {
    const stored = this.objects.get(keys.desired(cluster))
    return stored === undefined
      ? []
      : parseDesiredState(Buffer.from(parseEnvelope(stored.bytes).payload, 'base64')).apps
  }

  /** The objects of a stored bundle. */
  manifests(address: BundleAddress): Manifest[] {
    const stored = this.objects.get(keys.bundle(address.digest))
    if (stored === undefined) throw new Error(`no bundle ${address.digest}`)
    return unpackBundle(stored.bytes, address).manifests
  }

  #store(): ObjectStore {
    const {objects} = this
    const write = (key: string, bytes: Uint8Array) => {
      this.#etag += 1
      const etag = String(this.#etag)
      objects.set(key, {bytes, etag})
      return etag
    }
    return {
      get: async (key, options) => {
        const stored = objects.get(key)
        if (stored === undefined) return 'absent'
        return stored.etag === options?.ifNoneMatch ? 'not-modified' : stored
      },
      create: async (key, bytes) => {
        if (objects.has(key)) return 'exists'
        write(key, bytes)
        return 'created'
      },
      swap: async (key, bytes, etag) => {
        if (objects.get(key)?.etag !== etag) return 'conflict'
        return {etag: write(key, bytes)}
      },
      put: async (key, bytes) => void write(key, bytes),
      list: async (prefix, options) =>
        [...objects.keys()]
          .filter((key) => key.startsWith(prefix) && (options?.after === undefined || key > options.after))
          .sort()
          .slice(0, options?.limit ?? 1000),
    }
  }
}

/** A clock that begins now and goes by how often it is asked, so that a slow machine does not make a render wait for more. */
function createSteadyClock(): Clock {
  let now = Date.now()
  return {now: () => new Date(now++)}
}

export function freshLife(): {issuedAt: string; expiresAt: string} {
  const now = Date.now()
  return {issuedAt: new Date(now).toISOString(), expiresAt: new Date(now + 7 * 86_400_000).toISOString()}
}

/** A folder of its own for one test. */
export async function temporaryFolder(context: {after(cleanUp: () => Promise<void>): void}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-test-'))
  context.after(() => rm(folder, {recursive: true, force: true}))
  return folder
}

/** A bridge that follows one repository. */
export async function startRenderBridge(
  context: {after(cleanUp: () => Promise<void>): void},
  ports: Partial<RenderPorts> = {},
): Promise<{bridge: RenderBridge; repository: TestRepository; folder: string}> {
  const folder = await temporaryFolder(context)
  const repository = await createRepository(folder, 'fleet')
  const bridge = new RenderBridge(folder, await renderPool(), [{url: repository.url}], ports)
  return {bridge, repository, folder}
}
