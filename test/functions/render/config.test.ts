import assert from 'node:assert/strict'
import {test} from 'node:test'
import {loadRenderConfig} from '#functions/render/config.ts'
import {ConfigError} from '#shared/config/parse-env.ts'

const env = {
  BUCKET: 'bucket',
  PUBLISH_QUEUE_URL: 'https://sqs.example.com/publish',
  RENDER_QUEUE_URL: 'https://sqs.example.com/render',
  TIME_BUDGET_SECONDS: '150',
  OUTCOME_QUEUE_URL: 'https://sqs.example.com/outcome',
  DEAD_LETTER_QUEUE_URL: 'https://sqs.example.com/dead',
  REPOSITORIES: '[{"url": "https://github.com/acme/fleet"}, {"url": "https://github.com/acme/shop", "ref": "main"}]',
}

test('reads the settings of the deployed function', () => {
  const config = loadRenderConfig(env)
  assert.equal(config.timeBudgetSeconds, 150)
  assert.deepEqual(config.repositories, [
    {url: 'https://github.com/acme/fleet'},
    {url: 'https://github.com/acme/shop', ref: 'main'},
  ])
})

test('tells every problem at once, and no credential', () => {
  const bad = {
    ...env,
    BUCKET: '',
    REPOSITORIES: '[{"url": "https://user:hunter2@example.com/a/b"}, {"url": "/srv/a"}]',
  }
  assert.throws(
    () => loadRenderConfig(bad),
    (error) => {
      assert.ok(error instanceof ConfigError)
      for (const part of ['BUCKET', 'holds a credential', 'is a path'])
        assert.ok(error.message.includes(part), `${part} in ${error.message}`)
      return !error.message.includes('hunter2')
    },
  )
  assert.throws(() => loadRenderConfig({...env, REPOSITORIES: 'not json'}), /REPOSITORIES/)
  assert.throws(() => loadRenderConfig({...env, REPOSITORIES: '[]'}), /REPOSITORIES/)
})
