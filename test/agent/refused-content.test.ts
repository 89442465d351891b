import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import type {JsonObject, Manifest} from '#shared/model/manifest.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {applyAs, configMap, createTestBridge, deployment, namespace, types, waitUntil} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster?.stop())

const backoff = {duration: '20ms', factor: 1, maxDuration: '20ms'}

function withContainer(space: string, more: JsonObject, spec: JsonObject = {}): Manifest {
  const template = {metadata: {labels: {app: 'web'}}, spec: {containers: [{name: 'web', image: 'web:1', ...more}]}}
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {name: 'web', namespace: space},
    spec: {selector: {matchLabels: {app: 'web'}}, template, ...spec},
  }
}
const secret = (space: string, more: JsonObject): Manifest => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {name: 'web', namespace: space},
  ...more,
})

const webhookType = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingWebhookConfiguration',
  plural: 'validatingwebhookconfigurations',
  namespaced: false,
} as const

/** Fails closed on ConfigMaps of one namespace: its service is nowhere. */
function brokenWebhook(space: string): Manifest {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: {name: space},
    webhooks: [
      {
        name: `${space}.example.com`,
        clientConfig: {service: {namespace: space, name: 'nowhere'}},
        rules: [{apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps']}],
        namespaceSelector: {matchLabels: {'kubernetes.io/metadata.name': space}},
        failurePolicy: 'Fail',
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        timeoutSeconds: 1,
      },
    ],
  }
}

const contents: {what: string; manifest: (space: string) => Manifest; words: RegExp; never?: RegExp}[] = [
  {
    what: 'a number as the value of a variable',
    manifest: (space) => withContainer(space, {env: [{name: 'A', value: 1}]}),
    words: /env\[name="A"\]\.value: expected string/,
  },
  {
    what: 'a variable that is named twice',
    manifest: (space) =>
      withContainer(space, {
        env: [
          {name: 'A', value: '1'},
          {name: 'A', value: '2'},
        ],
      }),
    words: /duplicate entries for key \[name="A"\]/,
  },
  {
    what: 'a port that is named twice',
    manifest: (space) => withContainer(space, {ports: [{containerPort: 80}, {containerPort: 80}]}),
    words: /duplicate entries for key \[containerPort=80/,
  },
  {
    what: 'a field that is misspelt',
    manifest: (space) => withContainer(space, {}, {replica: 2}),
    words: /\.spec\.replica: field not declared in schema/,
  },
  {
    what: 'several mistakes in one object',
    manifest: (space) => withContainer(space, {imagePolicy: 'x', comand: []}, {replica: 2, minReady: 1}),
    words: /field not declared in schema/,
  },
  {
    what: 'a number in a Secret',
    manifest: (space) => secret(space, {stringData: {port: 8080, word: 'hush'}}),
    words: /\.stringData\.port: expected string/,
    never: /8080|hush/,
  },
  {
    what: 'what is no base64 in a Secret',
    manifest: (space) => secret(space, {data: {word: 'hush!'}}),
    words: /base64/,
    never: /hush/,
  },
]
contents.forEach(({what, manifest, words, never = /^$/}, index) => {
  test(`${what} spends a retry, is told once and rolled back`, async (t) => {
    const bridge = await createTestBridge(cluster, t)
    const space = `refused-${index}`
    const agent = bridge.startAgent()
    const sync = {rollback: true, retry: {limit: 3, backoff}}
    await bridge.publish({[space]: {manifests: [namespace(space), configMap(space, 'c', {v: '1'})], sync}})
    await agent.waitFor({event: 'healthy', app: space})
    await bridge.publish({
      [space]: {manifests: [namespace(space), configMap(space, 'c', {v: '2'}), manifest(space)], sync},
    })
    await agent.waitFor({event: 'rolledback', app: space})
    const failed = agent.events.filter(({event}) => event === 'failed')
    assert.equal(failed.length, 1, failed.map(({message}) => message).join('\n'))
    assert.match(failed[0]?.message ?? '', words)
    assert.doesNotMatch(JSON.stringify(agent.events) + agent.lines.join('\n'), never)
    assert.notEqual(failed[0]?.code, 'CLUSTER_UNAVAILABLE')
  })
})

test('a webhook that does not answer is an outage that names it and the remedy, and spends no retry', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'refused-webhook'
  await applyAs(cluster.admin, 'admin', webhookType, brokenWebhook(space))
  const remove = () => cluster.admin.delete(webhookType, {namespace: '', name: space}, {propagation: 'Background'})
  t.after(async () => void (await remove()))
  const agent = bridge.startAgent()
  const sync = {retry: {limit: 0, backoff}}
  await bridge.publish({[space]: {manifests: [namespace(space), configMap(space, 'c', {v: '1'})], sync}})
  const {code, message} = await agent.waitFor({event: 'failed', app: space})
  assert.equal(code, 'CLUSTER_UNAVAILABLE')
  assert.match(message ?? '', /Webhook .* does not answer .*repair its service, or delete its configuration/)
  await remove()
  await agent.waitFor({event: 'healthy', app: space})
})

test('what an immutable field refuses is told in a few words, with the annotation that helps', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'refused-immutable'
  const agent = bridge.startAgent()
  const sync = {retry: {limit: 0, backoff}, timeoutSeconds: 1}
  await bridge.publish({[space]: {manifests: [namespace(space), deployment(space, 'web')], sync}})
  await agent.waitFor({event: 'applied', app: space})
  const labels = {app: 'web', tier: 'x'}
  const template = {metadata: {labels}, spec: {containers: [{name: 'web', image: 'web:1'}]}}
  const moved = withContainer(space, {}, {selector: {matchLabels: labels}, template})
  await bridge.publish({[space]: {manifests: [namespace(space), moved], sync}})
  const {message = ''} = await agent.waitFor({event: 'failed', app: space, code: 'APPLY_FAILED'})
  assert.match(message, /spec\.selector: field is immutable/)
  assert.match(message, /kustomize\.toolkit\.fluxcd\.io\/force: enabled/)
  assert.ok(message.length < 600, message)
})

test('a Deployment goes from RollingUpdate to Recreate by server-side apply, and back', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'refused-strategy'
  const agent = bridge.startAgent()
  const strategyOf = async () => {
    const live = await cluster.admin.get(types.deployment, {namespace: space, name: 'web'}, 'whole')
    return live === 'absent' ? undefined : ((live.spec as JsonObject).strategy as JsonObject).type
  }
  for (const type of ['RollingUpdate', 'Recreate', 'RollingUpdate']) {
    const seen = agent.events.length
    await bridge.publish({[space]: {manifests: [namespace(space), withContainer(space, {}, {strategy: {type}})]}})
    await agent.waitFor({event: 'applied', app: space}, {after: seen})
    assert.equal(await strategyOf(), type)
  }
  await waitUntil(
    () => agent.events.every(({event}) => event !== 'failed' && event !== 'drifted'),
    'no failure, no drift',
  )
})

test('a quota that is used up is told once, spends the retries, and lets the app through once there is room', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'refused-by-quota'
  const quotas = {group: '', version: 'v1', kind: 'ResourceQuota', plural: 'resourcequotas', namespaced: true}
  // No controller counts here: what is used is what the test says.
  const setQuota = async (hard: string): Promise<void> => {
    const counted = {hard: {'count/configmaps': hard}}
    const metadata = {name: 'few', namespace: space}
    const body = {apiVersion: 'v1', kind: 'ResourceQuota', metadata}
    await applyAs(cluster.admin, 'admin', quotas, {...body, spec: counted})
    const status = {...counted, used: {'count/configmaps': '1'}}
    const options = {fieldManager: 'admin', force: true, detail: 'metadata', subresource: 'status'} as const
    await cluster.admin.apply(
      quotas,
      {namespace: space, name: 'few'},
      JSON.stringify({...body, metadata: {name: 'few', namespace: space}, status}),
      options,
    )
  }
  const agent = bridge.startAgent()
  const sync = {retry: {limit: 3, backoff}}
  const first = configMap(space, 'first', {v: '1'})
  await bridge.publish({[space]: {manifests: [namespace(space), first], sync}})
  await agent.waitFor({event: 'healthy', app: space})
  await setQuota('1')
  await bridge.publish({[space]: {manifests: [namespace(space), first, configMap(space, 'second')], sync}})
  await waitUntil(
    () => /given up after 3 retries/.test(bridge.report()?.apps[0]?.message ?? ''),
    () => String(bridge.report()?.apps[0]?.message),
  )
  const failed = agent.events.filter(({event}) => event === 'failed')
  assert.deepEqual(
    failed.map(({message}) => /exceeded quota: few/.test(message ?? '')),
    [true],
    failed.map(({message}) => message).join('\n'),
  )
  await setQuota('5')
  await bridge.publish({[space]: {manifests: [namespace(space), first, configMap(space, 'third')], sync}})
  await agent.waitFor({event: 'healthy', app: space}, {after: agent.events.length})
})

test('a second revision that fails in the same words is told as well, and each only once', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'refused-again'
  const agent = bridge.startAgent()
  const sync = {retry: {limit: 2, backoff}}
  const revisions: (string | undefined)[] = []
  for (const v of ['1', '2']) {
    const manifests = [namespace(space), configMap(space, 'c', {v}), withContainer(space, {}, {replica: 2})]
    const seen = agent.events.length
    await bridge.publish({[space]: {manifests, sync}})
    const {revision} = await agent.waitFor({event: 'failed', app: space}, {after: seen})
    revisions.push(revision)
    await waitUntil(
      () => /given up after 2 retries/.test(bridge.report()?.apps[0]?.message ?? ''),
      () => String(bridge.report()?.apps[0]?.message),
    )
  }
  const failed = agent.events.filter(({event}) => event === 'failed')
  assert.deepEqual(
    failed.map(({revision}) => revision),
    revisions,
  )
  assert.equal(failed[0]?.message, failed[1]?.message)
  assert.notEqual(revisions[0], revisions[1])
})
