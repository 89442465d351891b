import assert from 'node:assert/strict'
import {test} from 'node:test'
import type {AgentPorts} from '#agent/agent-context.ts'
import {type HeldCount, recountHeld} from '#agent/count-held.ts'
import type {KubeClient, ListOptions, ResourceType} from '#agent/kube/kube-client.ts'
import {KubeError} from '#agent/kube/kube-error.ts'
import type {KubeObject} from '#agent/kube/kube-object.ts'
import {types} from './start-test-agent.ts'

const ref = {group: '', kind: 'Namespace', namespace: '', name: 'full'}
const key = '/Namespace//full'

/** A namespace that holds so many ConfigMaps; counts the lists that were asked for. */
function createNamespace(content: {held: number}) {
  const asked = {lists: 0}
  const kube: Partial<KubeClient> = {
    listApiVersions: async () => ['v1'],
    listTypes: async () => [types.configMap],
    list: async <T>(_type: ResourceType, _options: ListOptions, project?: (object: KubeObject) => T | undefined) => {
      asked.lists++
      const items = Array.from({length: content.held}, (_, index) => ({
        metadata: {name: `c${index}`, uid: `${index}`, resourceVersion: '1', namespace: 'full', generation: 1},
      }))
      return {items: items.flatMap((item) => project?.(item) ?? []), resourceVersion: '1'}
    },
  }
  const ports: Pick<AgentPorts, 'kube' | 'log'> = {kube: kube as KubeClient, log: () => undefined}
  return {asked, ports}
}

test('what keeps an object is counted again later and later, up to an hour', async () => {
  const content = {held: 2}
  const {asked, ports} = createNamespace(content)
  const counts = new Map<string, HeldCount>()
  const count = () => recountHeld(ports, counts, types.namespace, ref, new Set())
  assert.deepEqual([await count(), await count(), asked.lists], [2, 2, 1])
  const pauses: number[] = []
  for (let round = 0; round < 14; round++) {
    const known = counts.get(key)
    assert.ok(known)
    pauses.push(known.pauseMs)
    counts.set(key, {...known, until: 0})
    await count()
  }
  assert.equal(asked.lists, 15)
  assert.deepEqual(pauses.slice(0, 3), [1_000, 2_000, 4_000])
  assert.equal(pauses.at(-1), 3_600_000)
})

test('that nothing is held any more is never told from memory', async () => {
  const content = {held: 0}
  const {asked, ports} = createNamespace(content)
  const counts = new Map<string, HeldCount>()
  const count = () => recountHeld(ports, counts, types.namespace, ref, new Set())
  assert.equal(await count(), 0)
  content.held = 1
  assert.equal(await count(), 1)
  content.held = 0
  const known = counts.get(key)
  assert.ok(known)
  counts.set(key, {...known, until: 0})
  assert.equal(await count(), 0)
  assert.equal(asked.lists, 3)
  assert.equal(counts.size, 0)
})

test('an API that is down is named, with what to do', async () => {
  const {ports} = createNamespace({held: 0})
  const kube = {
    ...ports.kube,
    listApiVersions: async () => ['v1', 'metrics.example.com/v1beta1'],
    listTypes: async (apiVersion: string): Promise<ResourceType[]> => {
      if (apiVersion === 'v1') return [types.configMap]
      throw new KubeError('UNAVAILABLE', `discover ${apiVersion}: ServiceUnavailable (503)`)
    },
  }
  const held = await recountHeld({...ports, kube}, new Map(), types.namespace, ref, new Set())
  assert.ok(typeof held === 'object')
  assert.match(
    held.unknown,
    /discover metrics\.example\.com\/v1beta1: ServiceUnavailable \(503\); repair that API, or delete APIService v1beta1\.metrics\.example\.com/,
  )
})
