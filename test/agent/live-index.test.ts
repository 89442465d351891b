import assert from 'node:assert/strict'
import {test} from 'node:test'
import type {ListOptions, ResourceType} from '#agent/kube/kube-client.ts'
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
      list: async <T>(_type: ResourceType, _options: ListOptions, project?: (object: KubeObject) => T | undefined) => {
        const item = project?.(unschedulable)
        return {items: item === undefined ? [] : [item], resourceVersion: '7'}
      },
      get: async () => 'absent',
      watch: () => new Promise(() => undefined),
    },
    signal: over.signal,
    clock: {now: () => new Date()},
    isWanted: () => true,
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

test('keeps nothing of labelled objects that no app applied or declares, and reads one whole once it is applied', async (t) => {
  const over = new AbortController()
  t.after(() => over.abort())
  const wanted = new Set<string>()
  const asked: string[] = []
  const foreign = Array.from({length: 50}, (_, index): KubeObject => {
    const {metadata} = unschedulable
    return {status: {phase: 'Running'}, metadata: {...metadata, name: `foreign-${index}`, uid: `u${index}`}}
  })
  const index = createLiveIndex({
    kube: {
      list: async <T>(_type: ResourceType, _options: ListOptions, project?: (object: KubeObject) => T | undefined) => ({
        items: foreign.flatMap((item) => project?.(item) ?? []),
        resourceVersion: '7',
      }),
      get: async (_, {name}) => {
        asked.push(name)
        return foreign.find(({metadata}) => metadata.name === name) ?? 'absent'
      },
      watch: () => new Promise(() => undefined),
    },
    signal: over.signal,
    clock: {now: () => new Date()},
    isWanted: (key) => wanted.has(key),
    onChange: () => undefined,
    onTrouble: () => assert.fail('there is no trouble'),
  })
  await index.follow(pods)
  assert.deepEqual([...index.all()], [])
  const [first] = foreign
  assert.ok(first)
  wanted.add('/Pod/web/foreign-0')
  // An apply that changes nothing: no event of a watch will follow.
  const noted = index.note(pods, {metadata: first.metadata})
  assert.equal(noted.healthPending, true)
  await new Promise(setImmediate)
  assert.deepEqual([asked, index.get('/Pod/web/foreign-0')?.healthPending], [['foreign-0'], false])
})
