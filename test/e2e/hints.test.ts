// A webhook is a hint and a message is a hint: doubled, late, out of order, lost or forged, the clusters end up the same.
import assert from 'node:assert/strict'
import {createHmac, randomUUID} from 'node:crypto'
import {after, before, test} from 'node:test'
import {repositoryUrl} from '#infra/local/install-hook.ts'
import {createAwsClients} from '#shared/aws/aws-clients.ts'
import {createSqsClusterQueues} from '#shared/aws/sqs-cluster-queues.ts'
import {configMapYaml, fleetConfig, startTestStack, type TestStack} from './start-test-stack.ts'

let bench: TestStack
before(async () => {
  bench = await startTestStack()
  await bench.workspace.write('drawbridge.yaml', fleetConfig(['web']))
  await bench.workspace.write('web/a.yaml', configMapYaml('a', {value: 'first'}))
  await bench.waitFor('healthy', {app: 'web', commit: await bench.workspace.push('first')})
})
after(() => bench?.stop())

async function deliver(
  before: string,
  after: string,
  options: {secret?: string; delivery?: string; ref?: string} = {},
): Promise<number> {
  const {webhook} = bench.stack.bridge
  const url = repositoryUrl(bench.workspace.bare)
  const body = JSON.stringify({
    ref: options.ref ?? 'refs/heads/main',
    before,
    after,
    deleted: false,
    repository: {
      id: 1,
      name: 'fleet',
      full_name: 'local/fleet',
      clone_url: url,
      html_url: url,
      default_branch: 'main',
      pushed_at: Math.floor(Date.now() / 1000),
    },
  })
  const response = await fetch(webhook.url, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'push',
      'x-github-delivery': options.delivery ?? randomUUID(),
      'x-hub-signature-256': `sha256=${createHmac('sha256', options.secret ?? webhook.secret)
        .update(body)
        .digest('hex')}`,
    },
  })
  await response.text()
  return response.status
}

async function pushValue(value: string): Promise<string> {
  await bench.workspace.write('web/a.yaml', configMapYaml('a', {value}))
  return bench.workspace.push(value)
}

test('a delivery that comes twice, or again much later, changes nothing more', async () => {
  const parent = (await bench.workspace.git('rev-parse', 'HEAD')).trim()
  const since = bench.events.mark()
  const commit = await pushValue('twice')
  await bench.waitFor('healthy', {app: 'web', commit}, since)
  const delivery = randomUUID()
  const again = bench.events.mark()
  assert.equal(await deliver(parent, commit, {delivery}), 202)
  assert.equal(await deliver(parent, commit, {delivery}), 202)
  // What comes after them has passed the same queues, so by then they have been dealt with.
  const next = await pushValue('after the repeats')
  await bench.waitFor('healthy', {app: 'web', commit: next}, again)
  const published = bench.events
    .all()
    .slice(again)
    .filter((event) => event.event === 'published')
  assert.deepEqual(
    published.map(({revision}) => revision),
    [`main@sha1:${next}`],
  )
})

test('webhooks out of order end at the head of the branch', async () => {
  const older = (await bench.workspace.git('rev-parse', 'HEAD~1')).trim()
  const old = (await bench.workspace.git('rev-parse', 'HEAD')).trim()
  const since = bench.events.mark()
  const commit = await pushValue('newest')
  assert.equal(await deliver(older, old), 202)
  await bench.waitFor('healthy', {app: 'web', commit}, since)
  const marker = bench.events.mark()
  assert.equal(await deliver(older, old), 202)
  const last = await pushValue('newer still')
  await bench.waitFor('healthy', {app: 'web', commit: last}, marker)
  assert.equal(await bench.cluster.configValue('web', 'a', 'value'), 'newer still')
  assert.equal(
    bench.events
      .all()
      .slice(since)
      .some(({event, revision}) => event === 'applied' && revision?.endsWith(old) === true),
    false,
  )
})

test('a webhook with a wrong signature is turned away', async () => {
  const head = (await bench.workspace.git('rev-parse', 'HEAD')).trim()
  assert.equal(await deliver(head, head, {secret: 'a guess'}), 401)
})

test('a forged notification makes the agent look, and no more', async () => {
  const {endpoint, region} = bench.stack.bridge.sqs
  const {sqs} = createAwsClients({region, sqsEndpoint: endpoint, credentials: {accessKeyId: 'x', secretAccessKey: 'x'}})
  const since = bench.events.mark()
  try {
    const queues = createSqsClusterQueues({client: sqs, prefix: 'drawbridge-cluster-'})
    for (const body of [
      'not json',
      '{}',
      JSON.stringify({kind: 'DesiredStateChanged', cluster: 'prod', version: 999_999}),
    ])
      assert.equal(await queues.notify('dev', body), 'sent')
  } finally {
    sqs.destroy()
  }
  const commit = await pushValue('after the forgeries')
  await bench.waitFor('healthy', {app: 'web', commit}, since)
  assert.equal(
    bench.events
      .all()
      .slice(since)
      .some(({event}) => event === 'refused' || event === 'failed'),
    false,
  )
})

test('an agent that was down during three pushes applies the last only', async () => {
  await bench.stack.agents.get('dev')?.stop()
  const since = bench.events.mark()
  const commits: string[] = []
  for (const value of ['missed one', 'missed two', 'caught up']) {
    const commit = await pushValue(value)
    await bench.waitFor('published', {app: 'web', commit}, since)
    commits.push(commit)
  }
  bench.stack.startAgent('dev')
  await bench.waitFor('healthy', {app: 'web', commit: commits[2] ?? ''}, since)
  assert.equal(await bench.cluster.configValue('web', 'a', 'value'), 'caught up')
  const applied = bench.events
    .all()
    .slice(since)
    .filter(({event}) => event === 'applied')
  assert.deepEqual(
    applied.map(({revision}) => revision),
    [`main@sha1:${commits[2]}`],
  )
})

test('messages lost with the queues are made up for by the polls and the sweep', async () => {
  const since = bench.events.mark()
  await bench.workspace.write('web/a.yaml', configMapYaml('a', {value: 'swept'}))
  await bench.workspace.git('commit', '--quiet', '--all', '--message', 'without a webhook')
  // The hook is not run by a direct update of the ref: this is a webhook that never came.
  await bench.workspace.git(
    'push',
    '--quiet',
    '--receive-pack=git -c core.hooksPath=/dev/null receive-pack',
    'origin',
    'HEAD',
  )
  const commit = (await bench.workspace.git('rev-parse', 'HEAD')).trim()
  await bench.stack.bridge.restart('sqs')
  await bench.stack.bridge.sweep()
  await bench.waitFor('healthy', {app: 'web', commit}, since)
  assert.equal(await bench.cluster.configValue('web', 'a', 'value'), 'swept')
})
