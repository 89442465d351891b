import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import type {ResourceType} from '#agent/kube/kube-client.ts'
import type {Manifest} from '#shared/model/manifest.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {configMap, createTestBridge, namespace, types, waitUntil} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster?.stop())

const webhooks: ResourceType = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingWebhookConfiguration',
  plural: 'validatingwebhookconfigurations',
  namespaced: false,
}

/** Fails closed on the ConfigMaps that are the agent's memory: its service is nowhere. */
const guard = (name: string, agentNamespace: string): Manifest => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  metadata: {name},
  webhooks: [
    {
      name: `${name}.example.com`,
      clientConfig: {service: {namespace: agentNamespace, name: 'nowhere'}},
      rules: [{apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps']}],
      namespaceSelector: {matchLabels: {'kubernetes.io/metadata.name': agentNamespace}},
      failurePolicy: 'Fail',
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
      timeoutSeconds: 1,
    },
  ],
})

for (const how of ['declared no longer', 'removed with its app'] as const) {
  test(`a webhook that keeps the agent from its own memory is named, and goes when it is ${how}; then all goes on`, async (t) => {
    const bridge = await createTestBridge(cluster, t)
    const name = how === 'declared no longer' ? 'blocked-prune' : 'blocked-removal'
    const target = {namespace: '', name}
    t.after(async () => void (await cluster.admin.delete(webhooks, target, {propagation: 'Background'})))
    const agent = bridge.startAgent()
    const own = [namespace(name), configMap(name, 'c')]
    await bridge.publish({[name]: {manifests: [...own, guard(name, bridge.agentNamespace)]}})
    await waitUntil(async () => (await cluster.admin.get(webhooks, target, 'metadata')) !== 'absent', 'the webhook')

    const other = {manifests: [namespace(`${name}-other`), configMap(`${name}-other`, 'c')]}
    const both = {[name]: {manifests: [...own, guard(name, bridge.agentNamespace)]}, [`${name}-other`]: other}
    await bridge.publish(both)
    await waitUntil(
      () => agent.lines.some((line) => line.includes(`Webhook ${name}.example.com does not answer`)),
      () => agent.lines.join('\n'),
      40_000,
    )

    if (how === 'declared no longer') await bridge.publish({[name]: {manifests: own}, [`${name}-other`]: other})
    else await bridge.publish({[`${name}-other`]: other}, {removed: {[name]: 'Delete'}})
    await agent.waitFor({event: 'healthy', app: `${name}-other`}, {timeoutMs: 60_000})
    assert.equal(await cluster.admin.get(webhooks, target, 'metadata'), 'absent')
    await waitUntil(() => bridge.report()?.desired.state === 'current', 'that all is well', 40_000)
    if (how === 'removed with its app') await agent.waitFor({event: 'removed', app: name}, {timeoutMs: 60_000})
    const kept = await cluster.admin.get(types.configMap, {namespace: name, name: 'c'}, 'metadata')
    assert.equal(kept === 'absent', how === 'removed with its app')
  })
}
