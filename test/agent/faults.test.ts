import assert from 'node:assert/strict'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {after, before, test} from 'node:test'
import {apiVersionOf, type ResourceType} from '#agent/kube/kube-client.ts'
import {createConcurrencyLimit} from '#agent/limit-concurrency.ts'
import {childObject, type JsonObject, type Manifest} from '#shared/model/manifest.ts'
import {type OwnTestCluster, startTestCluster} from './open-test-cluster.ts'
import {applyAs, configMap, createTestBridge, namespace, type TestBridge, types, waitUntil} from './start-test-agent.ts'

let cluster: OwnTestCluster
before(async () => {
  cluster = await startTestCluster()
})
after(() => cluster.stop())

const admissionType = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingWebhookConfiguration',
  plural: 'validatingwebhookconfigurations',
  namespaced: false,
}
const rbac = 'rbac.authorization.k8s.io'
const roleBindingType = {group: rbac, version: 'v1', kind: 'RoleBinding', plural: 'rolebindings', namespaced: true}
const apiServiceType = {
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  plural: 'apiservices',
  namespaced: false,
}
/** Nobody listens there, so that a call of it fails. */
const NOWHERE = 'https://127.0.0.1:1/'

const dataOf = async (space: string) => {
  const found = await cluster.admin.get(types.configMap, {namespace: space, name: 'x'}, 'whole')
  return found === 'absent' ? undefined : childObject(found, 'data')
}
const messageOf = (bridge: TestBridge, app: string) =>
  bridge.report()?.apps.find(({name}) => name === app)?.message ?? ''
const one = (space: string, v: string): Manifest[] => [namespace(space), configMap(space, 'x', {v})]

test('an admission webhook that cannot be called is told, stops only what it guards, and is outlived', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const webhook: Manifest = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: {name: 'broken'},
    webhooks: [
      {
        name: 'broken.example.com',
        clientConfig: {url: NOWHERE},
        rules: [{apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps']}],
        namespaceSelector: {matchLabels: {'kubernetes.io/metadata.name': 'guarded'}},
        failurePolicy: 'Fail',
        timeoutSeconds: 1,
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
      },
    ],
  }
  await applyAs(cluster.admin, 'kubectl', admissionType, webhook)
  t.after(() => cluster.admin.delete(admissionType, {namespace: '', name: 'broken'}, {propagation: 'Background'}))
  const agent = bridge.startAgent()
  await bridge.publish({guarded: {manifests: one('guarded', '1')}, free: {manifests: one('free', '1')}})
  await agent.waitFor({event: 'healthy', app: 'free'})
  const failed = await agent.waitFor({event: 'failed', app: 'guarded'}, {timeoutMs: 30_000})
  assert.match(failed.message ?? '', /failed calling webhook "broken.example.com"/)
  await cluster.admin.delete(admissionType, {namespace: '', name: 'broken'}, {propagation: 'Background'})
  await agent.waitFor({event: 'healthy', app: 'guarded'}, {timeoutMs: 40_000})
})

test('an aggregated API that is unavailable fails what needs it, and nothing else', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const apiService: Manifest = {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: {name: 'v1.away.example.com'},
    spec: {
      group: 'away.example.com',
      version: 'v1',
      groupPriorityMinimum: 100,
      versionPriority: 100,
      insecureSkipTLSVerify: true,
      service: {name: 'nobody', namespace: 'default'},
    },
  }
  await applyAs(cluster.admin, 'kubectl', apiServiceType, apiService)
  t.after(() =>
    cluster.admin.delete(apiServiceType, {namespace: '', name: 'v1.away.example.com'}, {propagation: 'Background'}),
  )
  const agent = bridge.startAgent()
  const thing: Manifest = {
    apiVersion: 'away.example.com/v1',
    kind: 'Thing',
    metadata: {name: 'x', namespace: 'default'},
  }
  await bridge.publish({needs: {manifests: [thing]}, serves: {manifests: one('serves', '1')}})
  await agent.waitFor({event: 'healthy', app: 'serves'})
  await waitUntil(
    () => bridge.report()?.apps.find(({name}) => name === 'needs')?.ready === 'False',
    'the failure told',
    40_000,
  )
  assert.match(messageOf(bridge, 'needs'), /away\.example\.com/)
  await applyAs(cluster.admin, 'kubectl', types.configMap, configMap('serves', 'x', {v: 'theirs'}))
  await agent.waitFor({event: 'healed', app: 'serves'})
  await bridge.publish({serves: {manifests: [namespace('serves')]}, needs: {manifests: [thing]}})
  await waitUntil(
    async () => /could not be read/.test(messageOf(bridge, 'serves')) || (await dataOf('serves')) === undefined,
    'pruned, or told why not',
  )
})

test('rights that are taken away midway are told, and what they forbade is done when they are back', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'rights'
  const binding: Manifest = {
    apiVersion: `${rbac}/v1`,
    kind: 'RoleBinding',
    metadata: {name: 'deployer', namespace: space},
    roleRef: {apiGroup: rbac, kind: 'ClusterRole', name: 'cluster-admin'},
    subjects: [{kind: 'ServiceAccount', name: 'deployer', namespace: space}],
  }
  await applyAs(cluster.admin, 'kubectl', types.namespace, namespace(space))
  await applyAs(cluster.admin, 'kubectl', roleBindingType, binding)
  const agent = bridge.startAgent()
  const publish = (v: string) =>
    bridge.publish({
      [space]: {
        manifests: [configMap(space, 'x', {v}), configMap(space, 'y', {v})],
        serviceAccount: `${space}/deployer`,
      },
    })
  await publish('1')
  await agent.waitFor({event: 'healthy', app: space})
  await cluster.admin.delete(roleBindingType, {namespace: space, name: 'deployer'}, {propagation: 'Background'})
  await publish('2')
  const failed = await agent.waitFor({event: 'failed', app: space})
  assert.match(failed.message ?? '', /forbidden.*system:serviceaccount:rights:deployer/i)
  assert.deepEqual(await dataOf(space), {v: '1'})
  const seen = agent.events.length
  await applyAs(cluster.admin, 'kubectl', roleBindingType, binding)
  await agent.waitFor({event: 'healthy', app: space}, {after: seen, timeoutMs: 30_000})
  assert.deepEqual(await dataOf(space), {v: '2'})
})

test('a definition whose conversion fails stops only the app that has its objects', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const version = (name: string, storage: boolean) => ({
    name,
    served: true,
    storage,
    schema: {openAPIV3Schema: {type: 'object', 'x-kubernetes-preserve-unknown-fields': true}},
  })
  const definition: Manifest = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {name: 'gears.convert.example'},
    spec: {
      group: 'convert.example',
      names: {kind: 'Gear', plural: 'gears', singular: 'gear', listKind: 'GearList'},
      scope: 'Namespaced',
      versions: [version('v1', true), version('v2', false)],
      conversion: {
        strategy: 'Webhook',
        webhook: {clientConfig: {url: NOWHERE}, conversionReviewVersions: ['v1']},
      },
    },
  }
  const gear: Manifest = {apiVersion: 'convert.example/v2', kind: 'Gear', metadata: {name: 'x', namespace: 'default'}}
  const agent = bridge.startAgent()
  await bridge.publish({geared: {manifests: [definition, gear]}, plain: {manifests: one('plain', '1')}})
  await agent.waitFor({event: 'healthy', app: 'plain'})
  const failed = await agent.waitFor({event: 'failed', app: 'geared'}, {timeoutMs: 40_000})
  assert.match(failed.message ?? '', /conversion webhook .* failed/)
  await bridge.publish({
    geared: {manifests: [definition, {...gear, apiVersion: 'convert.example/v1'}]},
    plain: {manifests: one('plain', '2')},
  })
  await waitUntil(async () => (await dataOf('plain'))?.v === '2', 'the other app at its next version')
})

const manyOf = (space: string, count: number): Manifest[] => [
  namespace(space),
  ...Array.from({length: count}, (_, index) => configMap(space, `o${index}`, {v: '1'})),
]
async function countOf(space: string): Promise<number> {
  const options = {detail: 'metadata', namespace: space, labelSelector: `drawbridge.dev/app=${space}`} as const
  return (await cluster.admin.list(types.configMap, options)).items.length
}

test('where priority and fairness answers 429 the agent asks for less at once, and leaves nothing undone', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-storm-'))
  t.after(() => rm(folder, {recursive: true, force: true}))
  // The administrator is exempt.
  const user = 'throttled-agent'
  const kubeconfigFile = await cluster.cluster.issueKubeconfig({name: user}, join(folder, 'kubeconfig'))
  const make = (type: ResourceType, name: string, content: JsonObject) =>
    cluster.admin.create(type, {apiVersion: apiVersionOf(type), kind: type.kind, metadata: {name}, ...content})
  await make(
    {group: rbac, version: 'v1', kind: 'ClusterRoleBinding', plural: 'clusterrolebindings', namespaced: false},
    user,
    {
      roleRef: {apiGroup: rbac, kind: 'ClusterRole', name: 'cluster-admin'},
      subjects: [{apiGroup: rbac, kind: 'User', name: user}],
    },
  )
  const fairness = {group: 'flowcontrol.apiserver.k8s.io', version: 'v1', namespaced: false}
  await make({...fairness, kind: 'PriorityLevelConfiguration', plural: 'prioritylevelconfigurations'}, 'tight', {
    spec: {
      type: 'Limited',
      limited: {nominalConcurrencyShares: 1, borrowingLimitPercent: 0, limitResponse: {type: 'Reject'}},
    },
  })
  await make({...fairness, kind: 'FlowSchema', plural: 'flowschemas'}, 'tight', {
    spec: {
      priorityLevelConfiguration: {name: 'tight'},
      matchingPrecedence: 2,
      rules: [
        {
          subjects: [{kind: 'User', user: {name: user}}],
          resourceRules: [{verbs: ['patch'], apiGroups: [''], resources: ['configmaps'], namespaces: ['storm']}],
        },
      ],
    },
  })
  const rejected = async (): Promise<number> => {
    const {body} = await cluster.transport.send({method: 'GET', path: '/metrics', what: 'read the metrics'})
    const lines = body
      .split('\n')
      .filter((line) => /^apiserver_flowcontrol_rejected_requests_total.*"tight"/.test(line))
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }
  const limit = createConcurrencyLimit(16)
  const bridge = await createTestBridge({...cluster, kubeconfigFile}, t)
  const widths: number[] = []
  const agent = bridge.startAgent({ports: {limit}, onAnswer: () => void widths.push(limit.width)})
  await bridge.publish({storm: {manifests: manyOf('storm', 300)}})
  await agent.waitFor({event: 'healthy', app: 'storm'}, {timeoutMs: 90_000})
  assert.equal(await countOf('storm'), 300)
  assert.ok((await rejected()) > 0, 'the server has refused some')
  assert.ok(Math.min(...widths) < 16, 'less was asked for at once')
})

test('what is applied while the API server restarts is applied in the end, each object as declared', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  let applied = 0
  let restart: Promise<void> | undefined
  const agent = bridge.startAgent({
    onRequest({method, path}) {
      if (method !== 'PATCH' || !path.includes('/namespaces/restarts/configmaps/') || ++applied < 100) return
      restart ??= cluster.cluster.stopApiServer().then(() => cluster.cluster.startApiServer())
    },
  })
  await bridge.publish({restarts: {manifests: manyOf('restarts', 300)}})
  await agent.waitFor({event: 'healthy', app: 'restarts'}, {timeoutMs: 90_000})
  assert.ok(restart !== undefined, 'it was restarted halfway')
  await restart
  assert.equal(await countOf('restarts'), 300)
  await bridge.publish({restarts: {manifests: manyOf('restarts', 10)}})
  await waitUntil(async () => (await countOf('restarts')) === 10, 'the rest pruned', 60_000)
})

test('a clock that jumps forth and back freezes nothing for good, and events keep their order', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  let offsetMs = 0
  const clock = {now: () => new Date(Date.now() + offsetMs)}
  const agent = bridge.startAgent({ports: {clock}})
  await bridge.publish({jumps: {manifests: one('jumps', '1')}})
  await agent.waitFor({event: 'healthy', app: 'jumps'})
  for (const [jump, v] of [
    [-86_400_000, '2'],
    [86_400_000 * 365, undefined],
    [0, '3'],
  ] as const) {
    offsetMs = jump
    await applyAs(cluster.admin, 'kubectl', types.configMap, configMap('jumps', 'x', {v: 'theirs'}))
    await waitUntil(async () => (await dataOf('jumps'))?.v !== 'theirs', `healed at an offset of ${jump} ms`)
    if (v === undefined) continue
    await bridge.publish({jumps: {manifests: one('jumps', v)}})
    await waitUntil(async () => (await dataOf('jumps'))?.v === v, `version ${v}`)
  }
  await waitUntil(() => bridge.report()?.desired.state === 'current', 'not stale for good')
  const ids = bridge.report()?.events.map(({id}) => id) ?? []
  assert.deepEqual(ids, ids.toSorted())
})
