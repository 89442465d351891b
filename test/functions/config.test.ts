import assert from 'node:assert/strict'
import {test} from 'node:test'
import {loadPublishConfig} from '#functions/publish/config.ts'
import {loadStatusConfig} from '#functions/status/config.ts'
import {loadWebhookConfig, parseWebhookSecrets} from '#functions/webhook/config.ts'
import {ConfigError} from '#shared/config/parse-env.ts'

const tests = [
  {name: 'webhook', load: loadWebhookConfig, required: ['RENDER_QUEUE_URL', 'WEBHOOK_SECRET_ARN']},
  {
    name: 'publish',
    load: loadPublishConfig,
    required: [
      'BUCKET',
      'SIGNING_KEY_ARN',
      'CLUSTER_QUEUE_PREFIX',
      'STATUS_QUEUE_URL',
      'OUTCOME_QUEUE_URL',
      'DEAD_LETTER_QUEUE_URL',
      'REPOSITORIES',
    ],
  },
  {name: 'status', load: loadStatusConfig, required: ['BUCKET', 'OUTCOME_QUEUE_ARN', 'DEAD_LETTER_QUEUE_URL']},
]

const REPOSITORIES = '[{"url": "https://github.com/acme/fleet"}]'
const exampleOf = (variable: string) => (variable === 'REPOSITORIES' ? REPOSITORIES : 'https://sqs.example/1/queue')

for (const {name, load, required} of tests) {
  test(`${name}: lists every variable that is missing, at once`, () => {
    assert.throws(
      () => load({BUCKET: ''}),
      (error) =>
        error instanceof ConfigError && required.every((variable) => error.message.includes(`${variable}: is not set`)),
    )
  })

  test(`${name}: takes a full environment`, () => {
    const env = Object.fromEntries(required.map((variable) => [variable, exampleOf(variable)]))
    assert.doesNotThrow(() => load(env))
  })
}

test('names a variable whose value is not usable, and does not repeat the value', () => {
  const env = {RENDER_QUEUE_URL: 'not a url', WEBHOOK_SECRET_ARN: 'arn:x'}
  assert.throws(
    () => loadWebhookConfig(env),
    (error) =>
      error instanceof ConfigError && /RENDER_QUEUE_URL/.test(error.message) && !/not a url/.test(error.message),
  )
})

test('publish: takes a life of the desired state between an hour and a year', () => {
  const env = {
    BUCKET: 'b',
    SIGNING_KEY_ARN: 'arn',
    CLUSTER_QUEUE_PREFIX: 'p-',
    STATUS_QUEUE_URL: 'https://s/1',
    OUTCOME_QUEUE_URL: 'https://s/2',
    DEAD_LETTER_QUEUE_URL: 'https://s/3',
    REPOSITORIES,
  }
  assert.equal(loadPublishConfig({...env, DESIRED_TTL_SECONDS: '7200'}).publish.desiredTtlSeconds, 7_200)
  assert.equal(loadPublishConfig(env).publish.desiredTtlSeconds, undefined)
  for (const bad of ['60', 'a week', '99999999']) {
    assert.throws(() => loadPublishConfig({...env, DESIRED_TTL_SECONDS: bad}), ConfigError)
  }
})

test('reads one webhook secret or several, and never tells what it could not read', () => {
  assert.deepEqual(parseWebhookSecrets('one\n'), ['one'])
  assert.deepEqual(parseWebhookSecrets('["one", "two"]'), ['one', 'two'])
  for (const bad of ['', '  ', '[]', '[""]', '[1]', '["one", 2', '["one"']) {
    assert.throws(
      () => parseWebhookSecrets(bad),
      (error) => error instanceof ConfigError && !error.message.includes('"one"'),
    )
  }
})
