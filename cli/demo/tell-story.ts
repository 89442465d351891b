import type {EventLog} from '#infra/local/event-log.ts'
import type {GitWorkspace} from '#infra/local/git-workspace.ts'
import type {LocalStack} from '#infra/local/start-stack.ts'
import {waitUntil} from '#infra/local/wait-until.ts'
import {createAwsClients} from '#shared/aws/aws-clients.ts'
import {createS3ObjectStore} from '#shared/aws/s3-object-store.ts'
import {parseExactJson} from '#shared/bundle/exact-json.ts'
import {clusterStatusSchema} from '#shared/model/cluster-status.ts'
import type {JournalEventName} from '#shared/model/journal-event.ts'
import {keys, prefixes} from '#shared/model/keys.ts'
import {childObject} from '#shared/model/manifest.ts'
import type {Trace} from '#shared/model/trace.ts'
import type {ObjectStore} from '#shared/ports/object-store.ts'
import {type ClusterView, CONFIG_MAP, DEPLOYMENT} from './cluster-view.ts'
import type {Narrator} from './narrator.ts'

export interface Scene {
  stack: LocalStack
  workspace: GitWorkspace
  events: EventLog
  views: ReadonlyMap<string, ClusterView>
  narrator: Narrator
}

const apps = {dev: ['cache', 'guestbook', 'shop', 'shop-staging'], prod: ['cache', 'guestbook', 'shop']}
const stepTimeoutMilliseconds = 60_000

/** Plays the demo on a running stack: each step is done for real and then checked by asking the API servers. */
export async function tellStory(scene: Scene): Promise<void> {
  const {stack, narrator} = scene
  const {endpoint, region, bucket, ...credentials} = stack.bridge.s3
  const {s3} = createAwsClients({region, s3Endpoint: endpoint, credentials})
  const store = createS3ObjectStore({client: s3, bucket})
  try {
    for (const step of [firstPush, oneValue, manualEdit, removedFile, tamperedBundle, brokenCommit]) {
      // A step that cannot go on is one failed check; what does not depend on it is still shown.
      await step(scene, store).catch((error: unknown) =>
        narrator.check('the step runs to its end', () => Promise.reject(error)),
      )
    }
  } finally {
    s3.destroy()
  }
}

async function firstPush(scene: Scene, store: ObjectStore): Promise<void> {
  const {narrator, workspace} = scene
  narrator.title('A git push of a fleet: plain YAML, kustomize overlays and a helm chart, to two clusters')
  const commit = await workspace.push('The sample fleet')
  const waits = Object.entries(apps).flatMap(([cluster, names]) =>
    names.map((app) => waitForEvent(scene, 'healthy', {cluster, app, commit}, 0)),
  )
  await Promise.all(waits)
  narrator.timeline(
    await Promise.all(
      Object.entries(apps).flatMap(([cluster, names]) =>
        names.map((app) => stagesOf(scene, store, cluster, app, commit)),
      ),
    ),
  )
  await narrator.check(
    'dev: guestbook runs with 2 available replicas',
    async () => (await availableReplicas(scene, 'dev', 'guestbook', 'guestbook')) === 2,
  )
  await narrator.check(
    'prod: shop runs with 3 replicas, as its overlay says',
    async () => (await availableReplicas(scene, 'prod', 'shop', 'shop')) === 3,
  )
  await narrator.check(
    'dev: shop-staging runs with 2 replicas beside it',
    async () => (await availableReplicas(scene, 'dev', 'shop-staging', 'shop')) === 2,
  )
  await narrator.check(
    'prod: the chart has the values of its cluster',
    async () => (await view(scene, 'prod').configValue('cache', 'cache', 'maxmemory')) === '256mb',
  )
}

async function oneValue(scene: Scene, store: ObjectStore): Promise<void> {
  const {narrator, workspace, events} = scene
  narrator.title('A second push changes one value')
  const since = events.mark()
  await workspace.write(
    'apps/guestbook/config.yaml',
    'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: guestbook\ndata:\n  greeting: good evening\n',
  )
  const commit = await workspace.push('Greet in the evening')
  await Promise.all(
    ['dev', 'prod'].map((cluster) => waitForEvent(scene, 'healthy', {cluster, app: 'guestbook', commit}, since)),
  )
  narrator.timeline(
    await Promise.all(['dev', 'prod'].map((cluster) => stagesOf(scene, store, cluster, 'guestbook', commit))),
  )
  for (const cluster of ['dev', 'prod']) {
    await narrator.check(
      `${cluster}: the new value is there`,
      async () => (await view(scene, cluster).configValue('guestbook', 'guestbook', 'greeting')) === 'good evening',
    )
  }
  await narrator.check('nothing else was rendered', async () =>
    events
      .all()
      .slice(since)
      .every(({event, app}) => event !== 'rendered' || app === 'guestbook'),
  )
}

async function manualEdit(scene: Scene): Promise<void> {
  const {narrator, events} = scene
  narrator.title('Somebody edits an object in the cluster by hand')
  const since = events.mark()
  const edited = Date.now()
  await view(scene, 'prod').edit(CONFIG_MAP, 'guestbook', 'guestbook', {data: {greeting: 'all your base'}})
  const drifted = await waitForEvent(scene, 'drifted', {cluster: 'prod', app: 'guestbook'}, since)
  const healed = await waitForEvent(scene, 'healed', {cluster: 'prod', app: 'guestbook'}, since)
  narrator.note(
    `noticed after ${Date.parse(drifted.at) - edited} ms, healed after ${Date.parse(healed.at) - edited} ms: ${drifted.message ?? ''}`,
  )
  await narrator.check(
    'prod: the value is what git says',
    async () => (await view(scene, 'prod').configValue('guestbook', 'guestbook', 'greeting')) === 'good evening',
  )
}

async function removedFile(scene: Scene): Promise<void> {
  const {narrator, workspace, events} = scene
  narrator.title('A file is removed from git')
  const since = events.mark()
  await workspace.remove('apps/guestbook/motd.yaml')
  const commit = await workspace.push('No more motd')
  await Promise.all(
    ['dev', 'prod'].map((cluster) => waitForEvent(scene, 'healthy', {cluster, app: 'guestbook', commit}, since)),
  )
  for (const cluster of ['dev', 'prod']) {
    await narrator.check(
      `${cluster}: its object is gone`,
      async () => (await view(scene, cluster).get(CONFIG_MAP, 'guestbook', 'motd')) === undefined,
    )
  }
  await narrator.check(
    'what is still in git is still there',
    async () => (await availableReplicas(scene, 'prod', 'guestbook', 'guestbook')) === 2,
  )
}

async function tamperedBundle(scene: Scene, store: ObjectStore): Promise<void> {
  const {narrator, workspace, events, stack} = scene
  narrator.title('Somebody changes a bundle in S3 before the cluster has fetched it')
  await stack.agents.get('prod')?.stop()
  const bundles = new Set(await store.list(prefixes.bundles))
  const since = events.mark()
  await workspace.write(
    'apps/guestbook/config.yaml',
    'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: guestbook\ndata:\n  greeting: good night\n',
  )
  const commit = await workspace.push('Good night')
  await waitForEvent(scene, 'published', {cluster: 'prod', app: 'guestbook', commit}, since)
  const fresh = (await store.list(prefixes.bundles)).filter((key) => !bundles.has(key))
  const originals = new Map<string, Uint8Array>()
  for (const key of fresh) {
    const object = await store.get(key)
    if (typeof object === 'string') throw new Error(`${key} is gone`)
    originals.set(key, object.bytes)
    const tampered = Uint8Array.from(object.bytes)
    tampered[tampered.length - 9] = (tampered.at(-9) ?? 0) ^ 1
    await store.put(key, tampered)
  }
  stack.startAgent('prod')
  const refused = await waitForEvent(scene, 'refused', {cluster: 'prod'}, since)
  narrator.note(`refused: ${refused.code ?? ''} ${refused.message ?? ''}`)
  await narrator.check(
    'prod: runs what it ran before',
    async () => (await view(scene, 'prod').configValue('guestbook', 'guestbook', 'greeting')) === 'good evening',
  )
  for (const [key, bytes] of originals) await store.put(key, bytes)
  await waitForEvent(scene, 'healthy', {cluster: 'prod', app: 'guestbook', commit}, since)
  await narrator.check(
    'prod: takes the true bytes once they are back',
    async () => (await view(scene, 'prod').configValue('guestbook', 'guestbook', 'greeting')) === 'good night',
  )
}

async function brokenCommit(scene: Scene, store: ObjectStore): Promise<void> {
  const {narrator, workspace, events} = scene
  narrator.title('A commit that does not render')
  const before = await Promise.all(['dev', 'prod'].map((cluster) => etagOf(store, keys.desired(cluster))))
  const since = events.mark()
  await workspace.write(
    'charts/cache/templates/cache.yaml',
    'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Values.missing.name }}\n',
  )
  const commit = await workspace.push('Break the chart')
  const failed = await events.waitFor(
    'the broken commit is reported',
    (event) => event.event === 'failed' && event.commit === commit,
    {since, timeoutMilliseconds: stepTimeoutMilliseconds},
  )
  narrator.note(`${failed.code ?? ''} ${failed.message ?? ''}`)
  await narrator.check('nothing was published', async () => {
    const now = await Promise.all(['dev', 'prod'].map((cluster) => etagOf(store, keys.desired(cluster))))
    return now.every((etag, index) => etag === before[index])
  })
  await narrator.check(
    'dev: the cache runs as before',
    async () => (await view(scene, 'dev').configValue('cache', 'cache', 'maxmemory')) === '32mb',
  )
}

function waitForEvent(
  {events}: Scene,
  event: JournalEventName,
  where: {cluster: string; app?: string; commit?: string},
  since: number,
): ReturnType<EventLog['waitFor']> {
  const what = [event, where.cluster, where.app].filter((part) => part !== undefined).join(' ')
  const matches = (seen: Parameters<Parameters<EventLog['waitFor']>[1]>[0]): boolean =>
    seen.event === event &&
    seen.cluster === where.cluster &&
    (where.app === undefined || seen.app === where.app) &&
    (where.commit === undefined || (seen.revision ?? '').endsWith(where.commit))
  return events.waitFor(what, matches, {since, timeoutMilliseconds: stepTimeoutMilliseconds})
}

// The bridge's own status document has every stage but the publication, which its event tells.
async function stagesOf(
  {events}: Scene,
  store: ObjectStore,
  cluster: string,
  app: string,
  commit: string,
): Promise<{what: string; stages: Trace['stages']}> {
  const trace = await waitUntil(
    async () => {
      const object = await store.get(keys.status(cluster))
      if (typeof object === 'string') return undefined
      const status = clusterStatusSchema.parse(parseExactJson(Buffer.from(object.bytes).toString('utf8')))
      const found = status.report?.apps.find(
        ({name, revision}) => name === app && revision?.endsWith(commit) === true,
      )?.trace
      return found?.stages.healthy === undefined ? undefined : found
    },
    {timeoutMilliseconds: stepTimeoutMilliseconds},
  )
  if (trace === undefined) throw new Error(`the status of ${cluster}/${app} does not reach the bridge`)
  const published = events
    .all()
    .find(
      (event) =>
        event.event === 'published' &&
        event.cluster === cluster &&
        event.app === app &&
        event.revision?.endsWith(commit) === true,
    )
  return {
    what: `${cluster}/${app}`,
    stages: {...trace.stages, ...(published !== undefined && {published: published.at})},
  }
}

function view({views}: Scene, cluster: string): ClusterView {
  const found = views.get(cluster)
  if (found === undefined) throw new Error(`there is no cluster ${cluster}`)
  return found
}

async function availableReplicas(scene: Scene, cluster: string, namespace: string, name: string): Promise<unknown> {
  return childObject(await view(scene, cluster).get(DEPLOYMENT, namespace, name), 'status')?.availableReplicas
}

async function etagOf(store: ObjectStore, key: string): Promise<string> {
  const object = await store.get(key)
  return typeof object === 'string' ? object : object.etag
}
