import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import {appType} from '#agent/app-definition.ts'
import type {Manifest} from '#shared/model/manifest.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {
  annotateApp,
  applyAs,
  configMap,
  createTestBridge,
  deployment,
  namespace,
  type TestBridge,
  types,
  waitUntil,
} from './start-test-agent.ts'

// No controller runs here, so that a Deployment never becomes healthy.
let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster.stop())

const good = (space: string): Manifest[] => [namespace(space), configMap(space, 'x', {v: '1'})]
const bad = (space: string): Manifest[] => [...good(space), deployment(space, 'web')]
const reported = (bridge: TestBridge) => bridge.report()?.apps[0]

test('an app that was suspended while its health was waited for is waited for anew when it is resumed, and rolled back', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const space = 'wait-suspended'
  const sync = {rollback: true}
  await bridge.publish({[space]: {manifests: good(space), sync}})
  await agent.waitFor({event: 'healthy', app: space})
  const seen = agent.events.length
  await bridge.publish({[space]: {manifests: bad(space), sync: {...sync, timeoutSeconds: 3}}})
  await agent.waitFor({event: 'applied', app: space}, {after: seen})
  await annotateApp(cluster.admin, bridge, space, {'drawbridge.dev/suspend': 'true'})
  await waitUntil(() => reported(bridge)?.suspended === true, 'that it is suspended')
  assert.equal(reported(bridge)?.ready, 'Unknown')
  await annotateApp(cluster.admin, bridge, space, {})
  const failed = await agent.waitFor({event: 'failed', app: space, code: 'HealthCheckFailed'})
  assert.match(failed.message ?? '', /not healthy within 3 s: Deployment.* wait-suspended\/web/)
  await agent.waitFor({event: 'rolledback', app: space})
})

test('an app that failed by its health goes on to say why it is not healthy', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const space = 'wait-reworded'
  await bridge.publish({[space]: {manifests: bad(space), sync: {timeoutSeconds: 1}}})
  await agent.waitFor({event: 'failed', app: space, code: 'HealthCheckFailed'})
  const condition = {type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'took too long'}
  const status = {observedGeneration: 1, conditions: [condition]}
  const body = JSON.stringify({apiVersion: 'apps/v1', kind: 'Deployment', status})
  await cluster.admin.apply(types.deployment, {namespace: space, name: 'web'}, body, {
    fieldManager: 'controller',
    force: true,
    detail: 'metadata',
    subresource: 'status',
  })
  const message = () => reported(bridge)?.message ?? ''
  await waitUntil(() => /not healthy within 1 s: .*(took too long|ProgressDeadlineExceeded)/.test(message()), message)
  assert.equal(reported(bridge)?.ready, 'False')
  assert.equal(agent.events.filter(({event}) => event === 'failed').length, 1)
})

test('a reconcile that only puts drift right ends no wait for health', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const space = 'wait-drifted'
  const sync = {drift: 'detect' as const, timeoutSeconds: 4}
  await bridge.publish({[space]: {manifests: bad(space), sync}})
  await agent.waitFor({event: 'applied', app: space})
  await applyAs(cluster.admin, 'kubectl', types.configMap, configMap(space, 'x', {v: 'theirs'}))
  await agent.waitFor({event: 'drifted', app: space})
  await waitUntil(
    async () =>
      (await cluster.admin.list(appType, {detail: 'metadata', namespace: bridge.agentNamespace})).items.length > 0,
    'the App object',
  )
  await annotateApp(cluster.admin, bridge, space, {'reconcile.drawbridge.dev/requestedAt': 'now'})
  await agent.waitFor({event: 'healed', app: space})
  await agent.waitFor({event: 'failed', app: space, code: 'HealthCheckFailed'})
})
