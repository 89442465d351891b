import assert from 'node:assert/strict'
import {test} from 'node:test'
import {AgentConfigError, loadAgentEnvironment} from '#agent/config.ts'

const least = {
  CLUSTER_NAME: 'dev',
  BUCKET: 'bridge',
  QUEUE_URL: 'https://sqs.example/1/dev',
  STATUS_QUEUE_URL: 'https://sqs.example/1/status',
  TRUST_ROOT_FILE: '/etc/drawbridge/root.json',
  KUBECONFIG: '/home/me/.kube/config',
}

test('fills in what is not set', () => {
  const {config, kubernetes} = loadAgentEnvironment({...least, POLL_INTERVAL_SECONDS: ''})
  assert.deepEqual(config, {
    cluster: 'dev',
    namespace: 'drawbridge-system',
    pollIntervalSeconds: 60,
    verifyIntervalSeconds: 3_600,
    leaseSeconds: 15,
  })
  assert.deepEqual(kubernetes, {kubeconfig: '/home/me/.kube/config'})
})

test('lists every problem at once', () => {
  assert.throws(
    () =>
      loadAgentEnvironment({
        ...least,
        CLUSTER_NAME: 'Dev!',
        BUCKET: undefined,
        POLL_INTERVAL_SECONDS: '0',
        KUBECONFIG: undefined,
      }),
    (error) => {
      assert.ok(error instanceof AgentConfigError)
      for (const name of ['CLUSTER_NAME', 'BUCKET', 'POLL_INTERVAL_SECONDS', 'KUBECONFIG'])
        assert.match(error.message, new RegExp(name))
      return true
    },
  )
})
