import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import type {ResourceType} from '#agent/kube/kube-client.ts'
import {childObject, type JsonObject, type Manifest} from '#shared/model/manifest.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {applyAs, createTestBridge, namespace, types, waitUntil} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster?.stop())

const clusterRole: ResourceType = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRole',
  plural: 'clusterroles',
  namespaced: false,
}

test('the rules of an aggregated ClusterRole are left to the controller that writes them', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const name = 'left-aggregated'
  const agent = bridge.startAgent()
  const role: Manifest = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: {name},
    aggregationRule: {clusterRoleSelectors: [{matchLabels: {'left/aggregate': 'true'}}]},
    rules: [],
  }
  await bridge.publish({[name]: {manifests: [role]}})
  await agent.waitFor({event: 'healthy', app: name})
  const rules = [{apiGroups: [''], resources: ['pods'], verbs: ['get']}]
  await applyAs(cluster.admin, 'clusterrole-aggregation-controller', clusterRole, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: {name},
    rules,
  })
  // Something that is looked at after it, and is healed.
  await applyAs(cluster.admin, 'somebody', clusterRole, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: {name},
    aggregationRule: {clusterRoleSelectors: [{matchLabels: {'left/aggregate': 'false'}}]},
  })
  await agent.waitFor({event: 'healed', app: name})
  const live = await cluster.admin.get(clusterRole, {namespace: '', name}, 'whole')
  assert.ok(live !== 'absent')
  assert.deepEqual(live.rules, rules)
  assert.equal(agent.events.filter(({event}) => event === 'drifted').length, 1)
})

const web = (space: string, spec: JsonObject): Manifest => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {name: 'web', namespace: space},
  spec: {
    selector: {matchLabels: {app: 'web'}},
    template: {metadata: {labels: {app: 'web'}}, spec: {containers: [{name: 'web', image: 'web:1'}]}},
    ...spec,
  },
})

const scalers: Record<string, (space: string) => Manifest> = {
  HorizontalPodAutoscaler: (space) => ({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: {name: 'web', namespace: space},
    spec: {scaleTargetRef: {apiVersion: 'apps/v1', kind: 'Deployment', name: 'web'}, minReplicas: 2, maxReplicas: 9},
  }),
}
for (const [kind, scaler] of Object.entries(scalers)) {
  test(`replicas that are handed over to a ${kind} keep their number, and are its own from then on`, async (t) => {
    const bridge = await createTestBridge(cluster, t)
    const space = `left-${kind.toLowerCase()}`
    const agent = bridge.startAgent()
    const replicas = async () => {
      const live = await cluster.admin.get(types.deployment, {namespace: space, name: 'web'}, 'whole')
      return live === 'absent' ? undefined : childObject(live, 'spec')?.replicas
    }
    await bridge.publish({[space]: {manifests: [namespace(space), web(space, {replicas: 5})]}})
    await agent.waitFor({event: 'applied', app: space})
    assert.equal(await replicas(), 5)
    const seen = agent.events.length
    await bridge.publish({[space]: {manifests: [namespace(space), web(space, {}), scaler(space)]}})
    await agent.waitFor({event: 'applied', app: space}, {after: seen})
    assert.equal(await replicas(), 5)
    await applyAs(cluster.admin, 'vpa', types.deployment, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {name: 'web', namespace: space},
      spec: {replicas: 7},
    })
    const later = agent.events.length
    await bridge.publish({[space]: {manifests: [namespace(space), web(space, {minReadySeconds: 1}), scaler(space)]}})
    await agent.waitFor({event: 'applied', app: space}, {after: later})
    await waitUntil(async () => (await replicas()) === 7, 'what the scaler said')
    assert.equal(agent.events.filter(({event}) => event === 'drifted').length, 0)
  })
}
