import assert from 'node:assert/strict'
import {test} from 'node:test'
import type {ResourceType} from '#agent/kube/kube-client.ts'
import type {KubeObject} from '#agent/kube/kube-object.ts'
import {createLiveIndex} from '#agent/live-index.ts'

const pods: ResourceType = {group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true}
const created = Date.parse('2026-01-01T00:00:00Z')
const unschedulable: KubeObject = {
  metadata: {
    name: 'web',
    namespace: 'web',
    uid: 'u',
    resourceVersion: '7',
    generation: 1,
    creationTimestamp: new Date(created).toISOString(),
    labels: {'drawbridge.dev/app': 'web'},
  },
  status: {
    phase: 'Pending',
    conditions: [{type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes are available'}],
  },
}

test('gives the scheduler 15 seconds, and calls a pod unschedulable then though nothing changes', async (t) => {
  t.mock.timers.enable({apis: ['setTimeout', 'Date'], now: created + 1_000})
  const over = new AbortController()
  t.after(() => over.abort())
  const told: string[] = []
  const index = createLiveIndex({
    kube: {
      list: async () => ({items: [unschedulable], resourceVersion: '7'}),
      watch: () => new Promise(() => undefined),
    },
    signal: over.signal,
    clock: {now: () => new Date()},
    onChange: (key) => told.push(`${key} ${index.get(key)?.health}`),
    onTrouble: () => assert.fail('there is no trouble'),
  })
  await index.follow(pods)
  const key = '/Pod/web/web'
  assert.equal(index.get(key)?.health, 'InProgress')
  t.mock.timers.tick(13_999)
  assert.equal(index.get(key)?.health, 'InProgress')
  t.mock.timers.tick(1)
  assert.equal(index.get(key)?.health, 'Failed')
  assert.match(index.get(key)?.healthReason ?? '', /0\/3 nodes are available/)
  assert.deepEqual(told, [`${key} InProgress`, `${key} Failed`])
})
