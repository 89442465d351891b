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
  const {config, kubernetes, endpoints} = loadAgentEnvironment({...least, POLL_INTERVAL_SECONDS: ''})
  assert.deepEqual(config, {
    cluster: 'dev',
    namespace: 'drawbridge-system',
    pollIntervalSeconds: 60,
    verifyIntervalSeconds: 3_600,
    leaseSeconds: 15,
  })
  assert.deepEqual(kubernetes, {kubeconfig: '/home/me/.kube/config'})
  assert.deepEqual(endpoints, {host: '127.0.0.1', port: 8_080})
})

test('serves its endpoints to others only in a pod, and nowhere where the port is 0', () => {
  const pod = {...least, KUBECONFIG: undefined, KUBERNETES_SERVICE_HOST: '10.0.0.1'}
  assert.deepEqual(loadAgentEnvironment(pod).endpoints, {host: undefined, port: 8_080})
  assert.deepEqual(loadAgentEnvironment({...pod, METRICS_HOST: '127.0.0.1', METRICS_PORT: '9090'}).endpoints, {
    host: '127.0.0.1',
    port: 9_090,
  })
  assert.equal(loadAgentEnvironment({...pod, METRICS_PORT: '0'}).endpoints, undefined)
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
