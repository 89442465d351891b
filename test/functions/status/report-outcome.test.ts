import assert from 'node:assert/strict'
import {test} from 'node:test'
import {API_VERSION} from '#shared/model/api-version.ts'
import type {Outcome} from '#shared/model/outcome.ts'
import {startTrace} from '#shared/model/trace.ts'
import {CommitStatusError} from '#shared/ports/commit-status-error.ts'
import {COMMIT_1, createStatusKit, OUTCOME_QUEUE_ARN, REPOSITORY} from './status-kit.ts'

function outcome(more: Partial<Outcome> = {}): Outcome {
  return {
    apiVersion: API_VERSION,
    kind: 'Outcome',
    stage: 'render',
    repository: REPOSITORY,
    ref: 'refs/heads/main',
    commit: COMMIT_1,
    findings: [],
    trace: startTrace(),
    ...more,
  }
}

const fromOutcomes = {queueArn: OUTCOME_QUEUE_ARN}

test('shows a render without findings as success', async () => {
  const kit = createStatusKit()
  assert.equal(await kit.deliver(outcome(), fromOutcomes), 'done')
  assert.deepEqual(kit.summaries(), ['drawbridge/render 1 success'])
  assert.deepEqual(kit.events, [])
})

test('shows the first finding with its place, and journals all', async () => {
  const kit = createStatusKit()
  const findings = [
    {code: 'RENDER_FAILED', app: 'web', file: 'web/deploy.yaml', line: 3, message: 'web/deploy.yaml: no such field'},
    {code: 'RENDER_FAILED', app: 'api', message: 'the chart fails'},
  ]
  await kit.deliver(outcome({findings}), fromOutcomes)
  assert.deepEqual(kit.summaries(), ['drawbridge/render 1 failure'])
  assert.equal(
    kit.shown[0]?.description,
    'RENDER_FAILED app web: web/deploy.yaml:3: no such field; also failing (1): api',
  )
  assert.deepEqual(
    kit.events.map(({event, code, app, message, commit}) => [event, code, app, message, commit]),
    [
      ['failed', 'RENDER_FAILED', 'web', 'app web: web/deploy.yaml:3: no such field', COMMIT_1],
      ['failed', 'RENDER_FAILED', 'api', 'app api: the chart fails', COMMIT_1],
    ],
  )
})

test('shows warnings of a render that succeeded, and not beside what failed', async () => {
  const kit = createStatusKit()
  const warnings = [{code: 'NOT_REPRODUCIBLE', app: 'web', message: 'each render gives other values'}]
  await kit.deliver(outcome({warnings}), fromOutcomes)
  assert.equal(kit.shown[0]?.description, 'rendered; warning: NOT_REPRODUCIBLE app web: each render gives other values')
  const findings = [{code: 'RENDER_FAILED', app: 'api', message: 'the chart fails'}]
  await kit.deliver(outcome({findings, warnings}), fromOutcomes)
  assert.equal(kit.shown[1]?.description, 'RENDER_FAILED app api: the chart fails')
  assert.deepEqual(kit.summaries(), ['drawbridge/render 1 success', 'drawbridge/render 1 failure'])
})

test('shows a render in parts as success once the last part is well, and as failure as soon as one is not', async () => {
  const kit = createStatusKit()
  const range = {from: '', to: 'm'}
  await kit.deliver(outcome({range}), fromOutcomes)
  assert.deepEqual(kit.summaries(), [])
  await kit.deliver(outcome({range: {from: 'm'}}), fromOutcomes)
  assert.deepEqual(kit.summaries(), ['drawbridge/render 1 success'])
  const findings = [{code: 'RENDER_FAILED', app: 'api', message: 'the chart fails'}]
  await kit.deliver(outcome({range, findings}), fromOutcomes)
  await kit.deliver(outcome({range: {from: 'm'}}), fromOutcomes)
  assert.deepEqual(kit.summaries().slice(1), Array(2).fill('drawbridge/render 1 failure'))
  assert.equal(kit.events.length, 1)
})

test('shows what publish refused under the cluster, apart from render', async () => {
  const kit = createStatusKit()
  const findings = [{code: 'KIND_NOT_ALLOWED', app: 'web', cluster: 'dev', message: 'not allowed'}]
  await kit.deliver(outcome({stage: 'publish', cluster: 'dev', findings}), fromOutcomes)
  assert.deepEqual(kit.summaries(), ['drawbridge/publish/dev 1 failure'])
  assert.equal(kit.events[0]?.cluster, 'dev')
})

test('takes no outcome from a queue that clusters can send to', async () => {
  const kit = createStatusKit()
  assert.equal(await kit.deliver(outcome()), 'done')
  assert.deepEqual(kit.shown, [])
  assert.equal(kit.deadLetters.sent.length, 1)
})

test('tries again where the git host is down', async () => {
  const kit = createStatusKit()
  const down = {
    setCommitStatus: async () => {
      throw new CommitStatusError('RATE_LIMITED', 'later')
    },
  }
  assert.equal(await kit.deliver(outcome(), {...fromOutcomes, over: {commitStatuses: down}}), 'again')
})
