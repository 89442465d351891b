import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import type {ResourceType} from '#agent/kube/kube-client.ts'
import type {JsonObject, Manifest} from '#shared/model/manifest.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {startAdmissionWebhook} from './start-admission-webhook.ts'
import {configMap, createTestBridge, namespace, type TestBridge, types, waitUntil} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster?.stop())

const typeOf = (kind: string, plural: string): ResourceType => ({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind,
  plural,
  namespaced: false,
})
const webhooks = typeOf('ValidatingWebhookConfiguration', 'validatingwebhookconfigurations')
const policies = typeOf('ValidatingAdmissionPolicy', 'validatingadmissionpolicies')
const bindings = typeOf('ValidatingAdmissionPolicyBinding', 'validatingadmissionpolicybindings')

const selectorOf = (name: string) => ({matchLabels: {'kubernetes.io/metadata.name': name}})
const configMapRule = {apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps']}
const anyRule = {apiGroups: ['*'], apiVersions: ['*'], resources: ['*']}

/** Webhooks of a namespace that fail closed, since their service is nowhere. */
const guard = (name: string, of: string, rule: JsonObject, hooks = [name]): Manifest => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  metadata: {name},
  webhooks: hooks.map((hook) => ({
    name: `${hook}.example.com`,
    clientConfig: {service: {namespace: of, name: 'nowhere'}},
    rules: [{...rule, operations: ['CREATE', 'UPDATE', 'DELETE']}],
    namespaceSelector: selectorOf(of),
    failurePolicy: 'Fail',
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
    timeoutSeconds: 1,
  })),
})

/** A policy that lets no ConfigMap of a namespace be written. */
const ban = (name: string, of: string): Manifest[] => [
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: {name},
    spec: {
      matchConstraints: {
        resourceRules: [{...configMapRule, operations: ['CREATE', 'UPDATE']}],
        namespaceSelector: selectorOf(of),
      },
      validations: [{expression: 'false', message: 'no ConfigMaps'}],
    },
  },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: {name},
    spec: {policyName: name, validationActions: ['Deny']},
  },
]

const messageOf = (bridge: TestBridge, name: string) =>
  bridge.report()?.apps.find((app) => app.name === name)?.message ?? ''

const cases: {what: string; name: string; type: ResourceType; make: (name: string, of: string) => Manifest[]}[] = [
  {
    what: 'a webhook on ConfigMaps that does not answer',
    name: 'blocked-one',
    type: webhooks,
    make: (name, of) => [guard(name, of, configMapRule)],
  },
  {
    what: 'two webhooks on everything, Leases too, that do not answer',
    name: 'blocked-all',
    type: webhooks,
    make: (name, of) => [guard(name, of, anyRule, [`${name}-1`, `${name}-2`])],
  },
  {what: 'a policy that refuses', name: 'blocked-policy', type: policies, make: ban},
]

for (const {what, name, type, make} of cases) {
  test(`${what} the agent's own memory stops no other app, and is named with what to do`, async (t) => {
    const bridge = await createTestBridge(cluster, t)
    const target = {namespace: '', name}
    t.after(async () => {
      for (const each of [type, ...(type === policies ? [bindings] : [])])
        await cluster.admin.delete(each, target, {propagation: 'Background'})
    })
    const agent = bridge.startAgent()
    const own = [namespace(name), configMap(name, 'c')]
    const blocking = make(name, bridge.agentNamespace)
    const other = (value: string) => ({
      manifests: [namespace(`${name}-other`), configMap(`${name}-other`, 'c', {value})],
    })
    await bridge.publish({[name]: {manifests: own}, [`${name}-other`]: other('1')})
    await agent.waitFor({event: 'healthy', app: `${name}-other`})
    await bridge.publish({[name]: {manifests: [...own, ...blocking]}, [`${name}-other`]: other('1')})
    await waitUntil(async () => (await cluster.admin.get(type, target, 'metadata')) !== 'absent', 'what blocks')
    const readValue = async () => {
      const live = await cluster.admin.get(types.configMap, {namespace: `${name}-other`, name: 'c'}, 'whole')
      return live === 'absent' ? undefined : (live.data as JsonObject).value
    }

    // The API server takes a moment to heed it: some of these are written before.
    const words = new RegExp(`${type.kind}\\S* ${name} kept the agent .* Leave that namespace out in git`)
    const giveUpAt = performance.now() + 30_000
    for (let value = 2; !words.test(messageOf(bridge, name)); value++) {
      assert.ok(performance.now() < giveUpAt, `${messageOf(bridge, name)}\n${agent.lines.join('\n')}`)
      await bridge.publish({[name]: {manifests: [...own, ...blocking]}, [`${name}-other`]: other(`${value}`)})
      await waitUntil(
        async () => (await readValue()) === `${value}`,
        () => agent.lines.slice(-20).join('\n'),
      )
    }
    assert.equal(bridge.report()?.desired.state, 'current')

    await agent.stop()
    const next = bridge.startAgent()
    await waitUntil(() => words.test(messageOf(bridge, name)), 'that it is said after a restart too', 30_000)
    await bridge.publish({[name]: {manifests: own}, [`${name}-other`]: other('last')})
    await waitUntil(
      async () => (await readValue()) === 'last',
      () => next.lines.slice(-20).join('\n'),
    )
    await waitUntil(async () => (await cluster.admin.get(type, target, 'metadata')) === 'absent', 'that it is pruned')
    await waitUntil(
      () => !messageOf(bridge, name).includes('kept the agent'),
      () => messageOf(bridge, name),
    )
  })
}

test('a webhook that denies as if it were the server, and names another, stops no other app', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const webhook = await startAdmissionWebhook()
  t.after(() => webhook.stop())
  const name = 'blocked-lied'
  const target = {namespace: '', name}
  t.after(async () => void (await cluster.admin.delete(webhooks, target, {propagation: 'Background'})))
  webhook.decide = () => ({allowed: false, code: 409, message: 'failed calling webhook "shop.example.com"'})
  const operations = ['CREATE', 'UPDATE', 'DELETE']
  const denying = webhook.configuration(name, {namespace: bridge.agentNamespace, resources: ['configmaps'], operations})
  const agent = bridge.startAgent()
  await bridge.publish({[name]: {manifests: [namespace(name), denying]}})
  await waitUntil(
    () => messageOf(bridge, name).includes('kept the agent'),
    () => agent.lines.join('\n'),
  )
  const other = {manifests: [namespace(`${name}-other`)]}
  await bridge.publish({[name]: {manifests: [namespace(name), denying]}, [`${name}-other`]: other})
  await agent.waitFor({event: 'healthy', app: `${name}-other`})
})

for (const failurePolicy of ['Fail', 'Ignore'] as const) {
  test(`a webhook on Leases that is silent for the default 10 s, and is to ${failurePolicy}, stops no other app`, async (t) => {
    const bridge = await createTestBridge(cluster, t)
    const webhook = await startAdmissionWebhook()
    t.after(() => webhook.stop())
    const name = `silent-${failurePolicy.toLowerCase()}`
    t.after(async () => void (await cluster.admin.delete(webhooks, {namespace: '', name}, {propagation: 'Background'})))
    webhook.decide = () => ({allowed: true, delayMs: 120_000})
    const matched = {namespace: bridge.agentNamespace, resources: ['leases'], operations: ['CREATE', 'UPDATE']}
    const slow = webhook.configuration(name, {...matched, failurePolicy, timeoutSeconds: 10})
    const agent = bridge.startAgent()
    const own = {manifests: [namespace(name), slow]}
    await bridge.publish({[name]: own})
    await waitUntil(() => webhook.calls.length > 0, 'a write that waits for the webhook')
    await bridge.publish({[name]: own, [`${name}-other`]: {manifests: [namespace(`${name}-other`)]}})
    await agent.waitFor({event: 'healthy', app: `${name}-other`}, {timeoutMs: 25_000})
    await waitUntil(
      () => messageOf(bridge, name).includes('kept the agent'),
      () => agent.lines.join('\n'),
    )
  })
}

for (const preflight of ['never', 'always'] as const) {
  test(`what is left out of a webhook does not keep that from being declared no longer, with preflight: ${preflight}`, async (t) => {
    const bridge = await createTestBridge(cluster, t)
    const name = `blocked-some-${preflight}`
    const target = {namespace: '', name}
    t.after(async () => void (await cluster.admin.delete(webhooks, target, {propagation: 'Background'})))
    const agent = bridge.startAgent()
    const publish = (value: string, hooks: string[]) =>
      bridge.publish({
        [name]: {
          sync: {preflight},
          manifests: [
            namespace(name),
            configMap(name, 'c', {value}),
            guard(name, bridge.agentNamespace, configMapRule, hooks),
          ],
        },
      })
    await publish('1', [`${name}-1`, `${name}-2`])
    await waitUntil(
      () => messageOf(bridge, name).includes('kept the agent'),
      () => agent.lines.join('\n'),
    )
    await publish('2', [`${name}-2`])
    await waitUntil(
      async () => {
        const live = await cluster.admin.get(webhooks, target, 'whole')
        return live !== 'absent' && (live.webhooks as unknown[]).length === 1
      },
      () => `${messageOf(bridge, name)}\n${agent.lines.join('\n')}`,
    )
    await waitUntil(
      () => bridge.report()?.apps[0]?.ready === 'True',
      () => messageOf(bridge, name),
    )
  })
}

test('an app whose webhook keeps the agent from its own memory can be removed', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const name = 'blocked-removal'
  const target = {namespace: '', name}
  t.after(async () => void (await cluster.admin.delete(webhooks, target, {propagation: 'Background'})))
  const agent = bridge.startAgent()
  const own = [namespace(name), configMap(name, 'c'), guard(name, bridge.agentNamespace, configMapRule)]
  await bridge.publish({[name]: {manifests: own}})
  await waitUntil(async () => (await cluster.admin.get(webhooks, target, 'metadata')) !== 'absent', 'the webhook')
  await bridge.publish({}, {removed: {[name]: 'Delete'}})
  await agent.waitFor({event: 'removed', app: name}, {timeoutMs: 60_000})
  assert.equal(await cluster.admin.get(webhooks, target, 'metadata'), 'absent')
})

test('a webhook that keeps the agent from its Lease does not end its term for good', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const name = 'blocked-lease'
  const target = {namespace: '', name}
  t.after(async () => void (await cluster.admin.delete(webhooks, target, {propagation: 'Background'})))
  const first = bridge.startAgent()
  const rule = {apiGroups: ['coordination.k8s.io'], apiVersions: ['v1'], resources: ['leases']}
  const guarded = {manifests: [namespace(name), guard(name, bridge.agentNamespace, rule)]}
  await bridge.publish({[name]: guarded})
  await first.waitFor({event: 'healthy', app: name})
  await first.stop()
  const agent = bridge.startAgent()
  await waitUntil(
    () => agent.lines.some((line) => line.includes(`${name} kept the agent`)),
    () => agent.lines.join('\n'),
  )
  await bridge.publish({[name]: guarded, [`${name}-other`]: {manifests: [namespace(`${name}-other`)]}})
  await agent.waitFor({event: 'healthy', app: `${name}-other`}, {timeoutMs: 30_000})
  await waitUntil(
    () => messageOf(bridge, name).includes('kept the agent'),
    () => messageOf(bridge, name),
  )
})
