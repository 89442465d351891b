import assert from 'node:assert/strict'
import {createHash} from 'node:crypto'
import {after, before, test} from 'node:test'
import {createAcceptedStore} from '#agent/accepted-state.ts'
import {createHealthyStore, type HealthyRecord} from '#agent/healthy-store.ts'
import {createInventoryStore} from '#agent/inventory-store.ts'
import type {KubeClient} from '#agent/kube/kube-client.ts'
import {KubeError} from '#agent/kube/kube-error.ts'
import {digestOf} from '#shared/model/digest.ts'
import {startTrace} from '#shared/model/trace.ts'
import type {InventoryEntry} from '#shared/plan/inventory.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {applyAs, namespace, types} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster.stop())

const entryOf = (name: string): InventoryEntry => ({
  ref: {group: '', kind: 'ConfigMap', namespace: 'web', name},
  version: 'v1',
  applied: 'a'.repeat(16),
  fields: '',
})

const digest = digestOf('bundle')
const recordOf = (revision: string): HealthyRecord => ({
  healthy: {
    revision,
    source: {repository: 'https://git.example/fleet.git', ref: 'refs/heads/main', commit: 'c'.repeat(40), path: '.'},
    inputs: digest,
    bundle: {digest, size: 1, objects: 0},
    trace: startTrace(),
  },
})
const accepted = (version: number) => ({version, payload: digest, acceptedAt: '2026-01-01T00:00:00.000Z'})

/** What one process keeps in a namespace, loaded as a term begins. */
async function openMemory(own: string, writer: string, kube: KubeClient = cluster.admin) {
  const fenced: string[] = []
  const options = {writer, onFenced: (name: string) => void fenced.push(name)}
  const memory = {
    inventories: createInventoryStore(kube, own, options),
    healthy: createHealthyStore(kube, own, options),
    accepted: createAcceptedStore(kube, own, options),
  }
  await Promise.all([memory.inventories.loadAll(), memory.healthy.loadAll(), memory.accepted.load()])
  return {
    fenced,
    async load() {
      return {
        inventory: (await memory.inventories.readAll()).get('web')?.entries,
        healthy: (await createHealthyStore(kube, own).loadAll()).get('web')?.healthy.revision,
        accepted: (await memory.accepted.load())?.version,
      }
    },
    writes: {
      inventory: (state: number) => memory.inventories.save('web', [entryOf(`of-${state}`)], undefined),
      healthy: (state: number) => memory.healthy.save('web', recordOf(`of-${state}`)),
      accepted: (state: number) => memory.accepted.save(accepted(state)),
    },
  }
}

const expected = (state: number) => ({inventory: [entryOf(`of-${state}`)], healthy: `of-${state}`, accepted: state})

for (const when of ['the first', 'a later'] as const)
  test(`${when} write of a process that was overtaken since it read fails, for each memory, and leaves what the other wrote`, async () => {
    const own = `fenced-${when.replaceAll(' ', '-')}`
    await applyAs(cluster.admin, 'test', types.namespace, namespace(own))
    if (when === 'a later') {
      const {writes} = await openMemory(own, 'before')
      for (const write of Object.values(writes)) await write(1)
    }
    const old = await openMemory(own, 'old')
    const recent = await openMemory(own, 'recent')
    for (const write of Object.values(recent.writes)) await write(3)
    for (const write of Object.values(old.writes)) await assert.rejects(write(2), {code: 'ABORTED'})
    assert.deepEqual(old.fenced, ['drawbridge-inventory-web-0', 'drawbridge-healthy-web', 'drawbridge-accepted'])
    assert.deepEqual(await old.load(), expected(3))
    // Its own memory it writes on and on.
    for (const write of Object.values(recent.writes)) await write(4)
    assert.deepEqual([await recent.load(), recent.fenced], [expected(4), []])
  })

test('what another wrote between a look and the write is not written over', async () => {
  const own = 'fenced-between'
  await applyAs(cluster.admin, 'test', types.namespace, namespace(own))
  const recent = await openMemory(own, 'recent')
  let meanwhile: () => Promise<void> = async () => undefined
  const happen = async () => {
    const happens = meanwhile
    meanwhile = async () => undefined
    await happens()
  }
  const kube: KubeClient = {
    ...cluster.admin,
    create: (...request) => happen().then(() => cluster.admin.create(...request)),
    apply: (...request) => happen().then(() => cluster.admin.apply(...request)),
  }
  const old = await openMemory(own, 'old', kube)
  for (const memory of ['inventory', 'healthy', 'accepted'] as const) {
    meanwhile = () => recent.writes[memory](10)
    await assert.rejects(old.writes[memory](1), {code: 'ABORTED'}, `the first write of ${memory}`)
  }
  assert.deepEqual(await recent.load(), expected(10))
  const next = await openMemory(own, 'next', kube)
  for (const memory of ['inventory', 'healthy', 'accepted'] as const) {
    await next.writes[memory](11)
    meanwhile = async () => {
      const other = await openMemory(own, 'other')
      await other.writes[memory](20)
    }
    await assert.rejects(next.writes[memory](12), {code: 'ABORTED'}, `a later write of ${memory}`)
  }
  assert.deepEqual(await recent.load(), expected(20))
})

test('goes on where nobody else wrote: after a first write whose answer was lost, a deletion, and a label taken off', async () => {
  const own = 'fenced-alone'
  await applyAs(cluster.admin, 'test', types.namespace, namespace(own))
  const lost: KubeClient = {
    ...cluster.admin,
    async create(...request) {
      await cluster.admin.create(...request)
      throw new KubeError('UNAVAILABLE', 'the connection broke')
    },
  }
  const first = await openMemory(own, 'first', lost)
  for (const write of Object.values(first.writes)) await write(1)
  assert.deepEqual(await first.load(), expected(1))
  const names = ['drawbridge-inventory-web-0', 'drawbridge-healthy-web', 'drawbridge-accepted']
  for (const name of names)
    await cluster.admin.delete(types.configMap, {namespace: own, name}, {propagation: 'Background'})
  const second = await openMemory(own, 'second')
  for (const write of Object.values(second.writes)) await write(2)
  for (const name of names.slice(0, 2)) {
    const found = await cluster.admin.get(types.configMap, {namespace: own, name}, 'whole')
    assert.ok(found !== 'absent')
    const {labels: _, managedFields: __, ...metadata} = found.metadata
    await cluster.admin.replace(types.configMap, {...found, metadata: {...metadata, namespace: own}})
  }
  const third = await openMemory(own, 'third')
  for (const write of Object.values(third.writes)) await write(3)
  assert.deepEqual([await third.load(), first.fenced, second.fenced, third.fenced], [expected(3), [], [], []])
})

/** An inventory of several chunks: of names that cannot be compressed. */
const many = Array.from({length: 2_500}, (_, index) =>
  entryOf(createHash('shake256', {outputLength: 1_000}).update(String(index)).digest('hex')),
)

test('an inventory of several chunks can be read wherever its first write or its removal is stopped', async () => {
  const own = 'stopped-writes'
  await applyAs(cluster.admin, 'test', types.namespace, namespace(own))
  let left = Number.POSITIVE_INFINITY
  const counted = <A extends unknown[], R>(send: (...request: A) => Promise<R>) => {
    return async (...request: A): Promise<R> => {
      if (left-- <= 0) throw new Error('the process is gone')
      return send(...request)
    }
  }
  const kube: KubeClient = {
    ...cluster.admin,
    apply: counted(cluster.admin.apply),
    create: counted(cluster.admin.create),
    delete: counted(cluster.admin.delete),
  }
  const readBack = async () => (await createInventoryStore(cluster.admin, own).load('web'))?.entries
  let stops = 0
  for (let ended = false; !ended; stops++) {
    assert.ok(stops < 20, 'it ends')
    left = stops
    const store = createInventoryStore(kube, own, {writer: 'one'})
    await store.loadAll()
    ended = await store.save('web', many, 'web/deployer').then(
      () => true,
      () => false,
    )
    const found = await readBack()
    assert.ok(found === undefined || Array.isArray(found), `stopped after ${stops} writes: ${found}`)
    if (ended) assert.equal(found?.length, many.length)
    left = Number.POSITIVE_INFINITY
    if (!ended) await store.remove('web').catch(() => undefined)
  }
  assert.ok(stops > 4, `${stops} stops`)

  let removed = false
  for (let writes = 0; !removed; writes++) {
    assert.ok(writes < 20, 'it ends')
    left = writes
    const store = createInventoryStore(kube, own, {writer: 'two'})
    await store.loadAll()
    removed = await store.remove('web').then(
      () => true,
      () => false,
    )
    const found = await createInventoryStore(cluster.admin, own).load('web')
    assert.ok(found === undefined ? removed : Array.isArray(found.entries), `stopped after ${writes} writes`)
    if (found !== undefined) assert.equal(found.serviceAccount, 'web/deployer')
  }
})
