import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {createStatement} from '#shared/attest/create-statement.ts'
import {signEnvelope} from '#shared/attest/envelope.ts'
import {createKeyFileSigner, generateKeyFile} from '#shared/attest/key-file-signer.ts'
import {PAYLOAD_TYPES} from '#shared/attest/payload-types.ts'
import {createTrustRoot, type TrustRoot} from '#shared/attest/trust-root.ts'
import type {BundleHeader} from '#shared/bundle/bundle-header.ts'
import {canonicalJson} from '#shared/bundle/canonical-json.ts'
import {packBundle} from '#shared/bundle/pack-bundle.ts'
import {API_VERSION} from '#shared/model/api-version.ts'
import type {DesiredApp, DesiredState, Notification, PresentApp} from '#shared/model/desired-state.ts'
import {digestOf} from '#shared/model/digest.ts'
import {keys} from '#shared/model/keys.ts'
import type {Manifest} from '#shared/model/manifest.ts'
import {startTrace} from '#shared/model/trace.ts'
import type {ObjectStore} from '#shared/ports/object-store.ts'
import type {QueueSender} from '#shared/ports/queue.ts'
import type {Signer} from '#shared/ports/signer.ts'

const declaredIn = {repository: 'https://git.example/fleet.git', ref: 'refs/heads/main'}

/** An app to publish: its objects, and what differs from the defaults. */
export interface TestApp {
  manifests: Manifest[]
  sync?: Partial<PresentApp['sync']>
  namespace?: string
  createNamespace?: boolean
  namespaceMetadata?: PresentApp['namespaceMetadata']
  dependsOn?: PresentApp['dependsOn']
  serviceAccount?: string
  /** Another one makes another bundle and revision of the same objects. @default '1' */
  rendererVersion?: string
}

export interface PublishOptions {
  version?: number
  expiresAt?: Date
  cluster?: string
  /** Names of removed apps. */
  removed?: Record<string, PresentApp['sync']['deletionPolicy']>
  signer?: Signer
  /** Notifies the cluster's queue. @default true */
  notify?: boolean
}

/** Publishes desired states as the publish function does, straight into an object store. */
export interface TestPublisher {
  readonly trustRoot: TrustRoot
  readonly signer: Signer
  /** Publishes the whole of a cluster's apps, and returns what was published. */
  publish(apps: Record<string, TestApp>, options?: PublishOptions): Promise<DesiredState>
  close(): Promise<void>
}

export async function createTestPublisher(
  cluster: string,
  store: ObjectStore,
  queue?: QueueSender,
): Promise<TestPublisher> {
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-keys-'))
  const publicKey = await generateKeyFile(join(folder, 'key.pem'))
  const signer = createKeyFileSigner(join(folder, 'key.pem'))
  let latest = 0

  async function publishApp(name: string, app: TestApp, version: number): Promise<PresentApp> {
    const {rendererVersion = '1'} = app
    const inputs = digestOf(`${canonicalJson(app.manifests)}${rendererVersion === '1' ? '' : rendererVersion}`)
    const commit = digestOf(`${name} ${inputs}`).slice(7, 47)
    const {bytes, address} = packBundle(
      {app: name, cluster, inputs, renderer: {name: 'yaml', version: rendererVersion}},
      app.manifests,
    )
    const present: PresentApp = {
      state: 'present',
      name,
      declaredIn,
      source: {...declaredIn, commit, path: name},
      revision: `main@sha1:${commit}`,
      inputs,
      bundle: address,
      ...(app.namespace === undefined ? {} : {namespace: app.namespace}),
      createNamespace: app.createNamespace ?? false,
      ...(app.namespaceMetadata === undefined ? {} : {namespaceMetadata: app.namespaceMetadata}),
      ...(app.dependsOn === undefined ? {} : {dependsOn: app.dependsOn}),
      ...(app.serviceAccount === undefined ? {} : {serviceAccount: app.serviceAccount}),
      sync: {
        prune: true,
        allowEmpty: false,
        drift: 'heal',
        timeoutSeconds: 60,
        deletionPolicy: 'Delete',
        ...app.sync,
      },
      trace: startTrace({published: new Date().toISOString()}),
    }
    await store.put(keys.bundle(address.digest), bytes)
    const header: BundleHeader = {
      apiVersion: API_VERSION,
      kind: 'Bundle',
      app: name,
      cluster,
      inputs,
      renderer: {name: 'yaml', version: String(version)},
      objects: app.manifests.length,
    }
    const statement = createStatement({app: present, cluster, header})
    const attestation = await signEnvelope(signer, PAYLOAD_TYPES.statement, Buffer.from(canonicalJson(statement)))
    await store.put(keys.attestation(address.digest), attestation)
    return present
  }

  return {
    trustRoot: createTrustRoot(publicKey),
    signer,
    async publish(apps, options = {}) {
      const version = options.version ?? latest + 1
      latest = Math.max(latest, version)
      const present = await Promise.all(Object.entries(apps).map(([name, app]) => publishApp(name, app, version)))
      const removed: DesiredApp[] = Object.entries(options.removed ?? {}).map(([name, deletionPolicy]) => ({
        state: 'removed',
        name,
        declaredIn,
        deletionPolicy,
        commit: digestOf(name).slice(7, 47),
        removedAt: '2026-01-01T00:00:00.000Z',
        trace: startTrace(),
      }))
      const desired: DesiredState = {
        apiVersion: API_VERSION,
        kind: 'DesiredState',
        cluster: options.cluster ?? cluster,
        version,
        issuedAt: new Date().toISOString(),
        expiresAt: (options.expiresAt ?? new Date(Date.now() + 3_600_000)).toISOString(),
        apps: [...present, ...removed].sort((a, b) => (a.name < b.name ? -1 : 1)),
        trace: startTrace(),
      }
      const payload = Buffer.from(canonicalJson(desired))
      await store.put(
        keys.desired(cluster),
        await signEnvelope(options.signer ?? signer, PAYLOAD_TYPES.desiredState, payload),
      )
      if (options.notify !== false && queue !== undefined) {
        const hint: Notification = {
          apiVersion: API_VERSION,
          kind: 'DesiredStateChanged',
          cluster,
          version,
          trace: startTrace({published: new Date().toISOString()}),
        }
        await queue.send(JSON.stringify(hint))
      }
      return desired
    },
    close: () => rm(folder, {recursive: true, force: true}),
  }
}
