import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import {APP_LABEL} from '#agent/marks.ts'
import {childObject, type JsonObject} from '#shared/model/manifest.ts'
import {startTestCluster, type TestCluster} from './open-test-cluster.ts'
import {configMap, createTestBridge, deployment, namespace, types, waitUntil} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await startTestCluster({controllerManager: true, scheduler: true, kwok: true})
})
after(() => cluster.stop())

test('is healthy when the pods are, and says in its trace when it passed which stage', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  await bridge.publish({pods: {manifests: [namespace('pods'), deployment('pods', 'web', 2)]}})
  await agent.waitFor({event: 'healthy', app: 'pods'})
  const live = await cluster.admin.get(types.deployment, {namespace: 'pods', name: 'web'}, 'whole')
  assert.equal(live !== 'absent' && childObject(live, 'status')?.availableReplicas, 2)
  await waitUntil(() => bridge.report()?.apps[0]?.ready === 'True', 'a ready report')
  const stages = bridge.report()?.apps[0]?.trace?.stages ?? {}
  const times = [stages.published, stages.pulled, stages.verified, stages.applied, stages.healthy]
  assert.ok(times.every((time) => time !== undefined))
  assert.deepEqual(times, times.toSorted())
})

test('a failure for want of time is followed by health once there is a recovery', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  // More than the quota of its namespace allows: no pod can be made until the quota is gone.
  const quota = {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: {name: 'none', namespace: 'poor'},
    spec: {hard: {pods: '0'}},
  }
  const app = [namespace('poor'), deployment('poor', 'web')]
  await bridge.publish({
    quota: {manifests: [namespace('poor'), quota]},
  })
  await agent.waitFor({event: 'healthy', app: 'quota'})
  await bridge.publish({
    quota: {manifests: [namespace('poor'), quota]},
    poor: {manifests: app.slice(1), sync: {timeoutSeconds: 1}},
  })
  await agent.waitFor({event: 'failed', app: 'poor', code: 'HealthCheckFailed'})
  const seen = agent.events.length
  await bridge.publish({
    quota: {manifests: [namespace('poor')]},
    poor: {manifests: app.slice(1), sync: {timeoutSeconds: 1}},
  })
  await agent.waitFor({event: 'healthy', app: 'poor'}, {after: seen, timeoutMs: 40_000})
})

test('what gets worse after it was healthy is told in words that keep up, fails for want of time, and may recover', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const services = {group: '', version: 'v1', kind: 'Service', plural: 'services', namespaced: true} as const
  const serve = async (ingress: JsonObject[]) => {
    const body = JSON.stringify({apiVersion: 'v1', kind: 'Service', status: {loadBalancer: {ingress}}})
    const target = {namespace: 'worse', name: 'entry'}
    await cluster.admin.apply(services, target, body, {
      fieldManager: 'balancer',
      force: true,
      detail: 'metadata',
      subresource: 'status',
    })
  }
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {name: 'entry', namespace: 'worse'},
    spec: {type: 'LoadBalancer', ports: [{port: 80}]},
  }
  const manifests = [namespace('worse'), configMap('worse', 'x'), service]
  const healthCheckExprs = [{apiVersion: 'v1', kind: 'Service', current: 'size(status.loadBalancer.ingress) > 0'}]
  const settings = (timeoutSeconds: number) => ({
    worse: {manifests, sync: {timeoutSeconds, drift: 'detect' as const, healthCheckExprs}},
  })
  await bridge.publish(settings(300))
  await agent.waitFor({event: 'applied', app: 'worse'})
  await serve([{ip: '192.0.2.1'}])
  await agent.waitFor({event: 'healthy', app: 'worse'})
  await waitUntil(() => bridge.report()?.apps[0]?.ready === 'True', 'health in the report')

  await serve([])
  await waitUntil(() => bridge.report()?.apps[0]?.ready === 'Unknown', 'progress in the report')
  assert.match(bridge.report()?.apps[0]?.message ?? '', /Service worse\/entry/)
  await cluster.admin.delete(types.configMap, {namespace: 'worse', name: 'x'}, {propagation: 'Background'})
  const message = () => bridge.report()?.apps[0]?.message ?? ''
  await waitUntil(() => message().includes('ConfigMap worse/x: is not there'), message)
  const marked = configMap('worse', 'x')
  await cluster.admin.create(types.configMap, {
    ...marked,
    metadata: {...marked.metadata, labels: {[APP_LABEL]: 'worse'}},
  })
  await serve([{ip: '192.0.2.1'}])
  await waitUntil(() => bridge.report()?.apps[0]?.ready === 'True', message)
  assert.equal(agent.events.filter(({event}) => event === 'failed').length, 0)

  await bridge.publish(settings(1))
  await waitUntil(() => bridge.report()?.apps[0]?.ready === 'True', message)
  const seen = agent.events.length
  await serve([])
  const failed = await agent.waitFor({event: 'failed', app: 'worse', code: 'HealthCheckFailed'}, {after: seen})
  assert.match(failed.message ?? '', /not healthy within 1 s: Service worse\/entry/)
  await serve([{ip: '192.0.2.1'}])
  await agent.waitFor({event: 'healthy', app: 'worse'}, {after: seen})
})

test('stops to heal for a while what somebody keeps changing back', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  await bridge.publish({fought: {manifests: [namespace('fought'), configMap('fought', 'x', {v: 'ours'})]}})
  await agent.waitFor({event: 'healthy', app: 'fought'})
  let changes = 0
  await waitUntil(async () => {
    const object = configMap('fought', 'x', {v: `theirs ${changes++}`})
    await cluster.admin.apply(types.configMap, {namespace: 'fought', name: 'x'}, JSON.stringify(object), {
      fieldManager: 'other-controller',
      force: true,
      detail: 'metadata',
    })
    return agent.events.some(({message}) => message?.includes('again and again') === true)
  }, 'the fight noticed')
  assert.equal(agent.events.filter(({event}) => event === 'healed').length, 5)
  await waitUntil(() => bridge.report()?.apps[0]?.driftedTotal === 1, 'the fight in the report')
  assert.equal(bridge.report()?.apps[0]?.drifted[0]?.manager, 'other-controller')
})

test('applies nothing of an app of which the policy refuses one object', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent({
    ports: {
      policy: (app, manifest) =>
        manifest.kind === 'Secret' ? {allowed: false, reason: `app ${app.name} may hold no Secret`} : {allowed: true},
    },
  })
  const secret = {apiVersion: 'v1', kind: 'Secret', metadata: {name: 'x', namespace: 'default'}}
  await bridge.publish({limited: {manifests: [configMap('default', 'limited'), secret]}})
  const refused = await agent.waitFor({event: 'refused', app: 'limited', code: 'POLICY'})
  assert.match(refused.message ?? '', /Secret default\/x: app limited may hold no Secret/)
  assert.equal(await cluster.admin.get(types.configMap, {namespace: 'default', name: 'limited'}, 'metadata'), 'absent')
})
