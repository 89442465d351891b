import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import {countOperations} from '#agent/metrics/count-operations.ts'
import {type AgentMetrics, createMetrics} from '#agent/metrics/create-metrics.ts'
import {EndpointsError, serveEndpoints} from '#agent/metrics/serve-endpoints.ts'
import {systemClock} from '#shared/ports/clock.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {applyAs, configMap, createTestBridge, namespace, types, waitUntil} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster.stop())

const newMetrics = (): AgentMetrics => createMetrics({version: '0.0.1', cluster: 'dev', clock: systemClock})

async function valueIn(metrics: AgentMetrics, series: string): Promise<number | undefined> {
  const line = (await metrics.render()).split('\n').find((candidate) => candidate.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

test('measures applies, drift, health and the way of a hint', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const metrics = newMetrics()
  const agent = bridge.startAgent({ports: {kube: countOperations(cluster.admin, metrics), telemetry: metrics}})
  await waitUntil(() => metrics.currentPhase() === 'leading', 'that it leads')
  await bridge.publish({
    measured: {manifests: [namespace('measured'), configMap('measured', 'x', {a: '1'})]},
    broken: {manifests: [configMap('not-there', 'x')]},
  })
  await agent.waitFor({event: 'healthy', app: 'measured'})
  await agent.waitFor({event: 'failed', app: 'broken'})
  await applyAs(cluster.admin, 'kubectl', types.configMap, configMap('measured', 'x', {a: 'theirs'}))
  await agent.waitFor({event: 'healed', app: 'measured'})
  for (const [series, least] of [
    ['drawbridge_agent_leading', 1],
    ['drawbridge_desired_state_version', 1],
    ['drawbridge_desired_state_current', 1],
    ['drawbridge_objects_declared{app="measured"}', 2],
    ['drawbridge_objects_ready{app="measured"}', 2],
    ['drawbridge_app_ready{app="measured"}', 1],
    ['drawbridge_drift_found_total', 1],
    ['drawbridge_drift_healed_total', 1],
    ['drawbridge_operations_total{operation="apply",result="ok"}', 3],
    ['drawbridge_operations_total{operation="dry-run",result="ok"}', 1],
    ['drawbridge_operations_total{operation="apply",result="NOT_FOUND"}', 1],
    ['drawbridge_reconcile_duration_seconds_count{outcome="failed"}', 1],
    ['drawbridge_queue_receive_lag_seconds_count', 1],
    ['drawbridge_last_sync_timestamp_seconds{app="measured"}', 1],
    ['process_resident_memory_bytes', 1],
  ] as const) {
    const value = await valueIn(metrics, series)
    assert.ok(value !== undefined && value >= least, `${series} is ${value}`)
  }
  assert.equal(await valueIn(metrics, 'drawbridge_app_ready{app="broken"}'), 0)
  const age = await valueIn(metrics, 'drawbridge_desired_state_age_seconds')
  assert.ok(age !== undefined && age >= 0 && age < 60, `the desired state is ${age} s old`)
  await bridge.publish({}, {removed: {measured: 'Delete', broken: 'Delete'}})
  await agent.waitFor({event: 'removed', app: 'measured'})
  assert.equal(await valueIn(metrics, 'drawbridge_objects_declared{app="measured"}'), undefined)
})

test('counts what was refused by its reason', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const metrics = newMetrics()
  const agent = bridge.startAgent({ports: {telemetry: metrics}})
  await bridge.publish({}, {cluster: 'another'})
  await agent.waitFor({event: 'refused'})
  assert.equal(await valueIn(metrics, 'drawbridge_verify_failures_total{reason="WRONG_CLUSTER"}'), 1)
})

test('is ready where it leads and where it stands by, and at once not where it ends', async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const [first, second] = [newMetrics(), newMetrics()]
  const endpoints = await serveEndpoints(second, {host: '127.0.0.1', port: 0})
  t.after(() => endpoints.close())
  const ask = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${endpoints.port}${path}`)
    return {status: response.status, text: await response.text(), type: response.headers.get('content-type')}
  }
  assert.deepEqual(await ask('/readyz').then(({status, text}) => [status, text]), [503, 'unknown\n'])
  assert.equal((await ask('/healthz')).status, 200)
  const leader = bridge.startAgent({ports: {telemetry: first}})
  await waitUntil(() => first.currentPhase() === 'leading', 'the first to lead')
  bridge.startAgent({ports: {telemetry: second}})
  await waitUntil(async () => (await ask('/readyz')).text === 'standby\n', 'the second to stand by')
  assert.equal((await ask('/readyz')).status, 200)
  await leader.stop()
  assert.equal(first.currentPhase(), 'unknown')
  await waitUntil(async () => (await ask('/readyz')).text === 'leading\n', 'the second to lead')
  const {text, type} = await ask('/metrics?x=1')
  assert.match(type ?? '', /^text\/plain; version=0\.0\.4/)
  assert.match(text, /^drawbridge_agent_leading 1$/m)
  assert.equal((await ask('/')).status, 404)
  const posted = await fetch(`http://127.0.0.1:${endpoints.port}/metrics`, {method: 'POST', body: 'x'})
  assert.equal(posted.status, 405)
})

test('says where it cannot listen, and what to do', async (t) => {
  const endpoints = await serveEndpoints(newMetrics(), {host: '127.0.0.1', port: 0})
  t.after(() => endpoints.close())
  await assert.rejects(
    serveEndpoints(newMetrics(), {host: '127.0.0.1', port: endpoints.port}),
    (error: unknown) => error instanceof EndpointsError && /METRICS_PORT to 0 for none/.test(error.message),
  )
})
