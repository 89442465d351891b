// S3, SQS and the API server fail for a while: nothing is lost, and what was pushed meanwhile arrives.
import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import {CONFIG_MAP} from '#cli/demo/cluster-view.ts'
import {waitUntil} from '#infra/local/wait-until.ts'
import {type FaultProxy, startFaultProxy} from '../fault-proxy.ts'
import {configMapYaml, fleetConfig, startTestStack, type TestStack} from './start-test-stack.ts'

let bench: TestStack
let s3: FaultProxy
let sqs: FaultProxy
before(async () => {
  bench = await startTestStack({
    bridge: {
      sweepIntervalSeconds: 2,
      endpoints: {
        s3: async (endpoint) => {
          s3 = await startFaultProxy(endpoint)
          return s3.endpoint
        },
        sqs: async (endpoint) => {
          sqs = await startFaultProxy(endpoint)
          return sqs.endpoint
        },
      },
    },
  })
  await bench.workspace.write('drawbridge.yaml', fleetConfig(['web']))
  await bench.workspace.write('web/a.yaml', configMapYaml('a', {value: 'first'}))
  await bench.waitFor('healthy', {app: 'web', commit: await bench.workspace.push('first')})
})
after(async () => {
  await bench?.stop()
  await s3?.stop()
  await sqs?.stop()
})

async function pushValue(value: string): Promise<string> {
  await bench.workspace.write('web/a.yaml', configMapYaml('a', {value}))
  return bench.workspace.push(value)
}

for (const status of [500, 503]) {
  test(`a push while S3 answers ${status} arrives once it is back`, async () => {
    const since = bench.events.mark()
    s3.failUntilCleared(status)
    const commit = await pushValue(`during ${status} of S3`)
    // Seen to have tried and failed, so that the outage is a real one.
    await bench.waitFor('skipped', {}, since)
    s3.clear()
    await bench.waitFor('healthy', {app: 'web', commit}, since)
    assert.equal(await bench.cluster.configValue('web', 'a', 'value'), `during ${status} of S3`)
  })

  test(`a push while SQS answers ${status} is found by the sweep once it is back`, async () => {
    const since = bench.events.mark()
    sqs.failUntilCleared(status)
    const commit = await pushValue(`during ${status} of SQS`)
    sqs.clear()
    await bench.waitFor('healthy', {app: 'web', commit}, since)
    assert.equal(await bench.cluster.configValue('web', 'a', 'value'), `during ${status} of SQS`)
  })
}

test('single failed requests on the way of a push delay it and no more', async () => {
  const since = bench.events.mark()
  s3.failNext(2, 503)
  sqs.failNext(1, 500)
  const commit = await pushValue('through single failures')
  await bench.waitFor('healthy', {app: 'web', commit}, since)
})

test('drift is healed while S3 cannot be reached', async () => {
  s3.failUntilCleared(503)
  const since = bench.events.mark()
  await bench.cluster.edit(CONFIG_MAP, 'web', 'a', {data: {value: 'by hand'}})
  await bench.waitFor('healed', {app: 'web'}, since)
  assert.notEqual(await bench.cluster.configValue('web', 'a', 'value'), 'by hand')
  s3.clear()
})

test('after a restart of the API server pushes arrive and drift is healed', async () => {
  const cluster = bench.stack.clusters.get('dev')
  assert.ok(cluster !== undefined)
  const since = bench.events.mark()
  await cluster.stopApiServer()
  const commit = await pushValue('while it was away')
  await cluster.startApiServer()
  await bench.waitFor('healthy', {app: 'web', commit}, since)
  const edited = bench.events.mark()
  const done = await waitUntil(
    async () => {
      await bench.cluster.edit(CONFIG_MAP, 'web', 'a', {data: {value: 'by hand'}})
      return true
    },
    {timeoutMilliseconds: 10_000},
  )
  assert.equal(done, true)
  await bench.waitFor('healed', {app: 'web'}, edited)
  assert.equal(await bench.cluster.configValue('web', 'a', 'value'), 'while it was away')
})

test('objects outlive a restart of the S3 server', async () => {
  const since = bench.events.mark()
  await bench.stack.bridge.restart('s3')
  const commit = await pushValue('after the restart')
  await bench.waitFor('healthy', {app: 'web', commit}, since)
  assert.equal(await bench.cluster.configValue('web', 'a', 'value'), 'after the restart')
})
