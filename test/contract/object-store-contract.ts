import assert from 'node:assert/strict'
import {randomUUID} from 'node:crypto'
import {test} from 'node:test'
import type {ObjectStore, StoredObject} from '#shared/ports/object-store.ts'
import {ObjectStoreError} from '#shared/ports/object-store-error.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)

/** What every object store must do. Each test works below a prefix of its own. */
export function testObjectStore(name: string, open: () => ObjectStore): void {
  const begin = () => ({store: open(), prefix: `contract/${randomUUID()}/`})

  test(`${name}: reads back the exact bytes, the empty ones too`, async () => {
    const {store, prefix} = begin()
    const all = Uint8Array.from({length: 256}, (_, index) => index)
    await store.put(`${prefix}all`, all)
    await store.put(`${prefix}none`, new Uint8Array())
    assert.deepEqual(Buffer.from((await read(store, `${prefix}all`)).bytes), Buffer.from(all))
    assert.equal((await read(store, `${prefix}none`)).bytes.byteLength, 0)
  })

  test(`${name}: tells that a key is absent`, async () => {
    const {store, prefix} = begin()
    assert.equal(await store.get(`${prefix}nothing`), 'absent')
  })

  test(`${name}: creates a key once and leaves the first bytes there`, async () => {
    const {store, prefix} = begin()
    assert.equal(await store.create(`${prefix}key`, bytes('first')), 'created')
    assert.equal(await store.create(`${prefix}key`, bytes('second')), 'exists')
    assert.equal(Buffer.from((await read(store, `${prefix}key`)).bytes).toString(), 'first')
  })

  test(`${name}: lets exactly one of twenty concurrent creators win`, async () => {
    const {store, prefix} = begin()
    const results = await Promise.all(
      Array.from({length: 20}, (_, index) => store.create(`${prefix}key`, bytes(`creator ${index}`))),
    )
    assert.equal(results.filter((result) => result === 'created').length, 1)
    const winner = results.indexOf('created')
    assert.equal(Buffer.from((await read(store, `${prefix}key`)).bytes).toString(), `creator ${winner}`)
  })

  test(`${name}: swaps only what was read, and an absent key only while it is absent`, async () => {
    const {store, prefix} = begin()
    const key = `${prefix}key`
    const first = await store.swap(key, bytes('first'), undefined)
    assert.ok(first !== 'conflict')
    assert.equal(await store.swap(key, bytes('other'), undefined), 'conflict')
    const second = await store.swap(key, bytes('second'), first.etag)
    assert.ok(second !== 'conflict')
    assert.notEqual(second.etag, first.etag)
    assert.equal(await store.swap(key, bytes('third'), first.etag), 'conflict')
    const stored = await read(store, key)
    assert.equal(Buffer.from(stored.bytes).toString(), 'second')
    assert.equal(stored.etag, second.etag)
  })

  test(`${name}: answers a swap of a key that is gone with a conflict`, async () => {
    const {store, prefix} = begin()
    const other = await store.swap(`${prefix}other`, bytes('x'), undefined)
    assert.ok(other !== 'conflict')
    assert.equal(await store.swap(`${prefix}gone`, bytes('y'), other.etag), 'conflict')
  })

  test(`${name}: lets exactly one of twenty concurrent swappers win`, async () => {
    const {store, prefix} = begin()
    const key = `${prefix}key`
    const first = await store.swap(key, bytes('first'), undefined)
    assert.ok(first !== 'conflict')
    const results = await Promise.all(
      Array.from({length: 20}, (_, index) => store.swap(key, bytes(`swapper ${index}`), first.etag)),
    )
    const winners = results.flatMap((result, index) => (result === 'conflict' ? [] : [index]))
    assert.equal(winners.length, 1)
    assert.equal(Buffer.from((await read(store, key)).bytes).toString(), `swapper ${winners[0]}`)
  })

  test(`${name}: loses no increment of a counter that ten writers swap`, async () => {
    const {store, prefix} = begin()
    const key = `${prefix}counter`
    const increment = async (): Promise<void> => {
      for (let tries = 0; tries < 200; tries++) {
        const stored = await store.get(key)
        const count = typeof stored === 'string' ? 0 : Number(Buffer.from(stored.bytes).toString())
        const etag = typeof stored === 'string' ? undefined : stored.etag
        if ((await store.swap(key, bytes(String(count + 1)), etag)) !== 'conflict') return
      }
      assert.fail('200 conflicts in a row')
    }
    await Promise.all(Array.from({length: 10}, increment))
    assert.equal(Buffer.from((await read(store, key)).bytes).toString(), '10')
  })

  test(`${name}: tells that nothing changed, by the tag`, async () => {
    const {store, prefix} = begin()
    await store.put(`${prefix}key`, bytes('first'))
    const {etag} = await read(store, `${prefix}key`)
    assert.equal(await store.get(`${prefix}key`, {ifNoneMatch: etag}), 'not-modified')
    await store.put(`${prefix}key`, bytes('second'))
    const changed = await store.get(`${prefix}key`, {ifNoneMatch: etag})
    assert.ok(typeof changed === 'object')
    assert.notEqual(changed.etag, etag)
  })

  test(`${name}: refuses an object over maxBytes and reads one of exactly that size`, async () => {
    const {store, prefix} = begin()
    await store.put(`${prefix}key`, bytes('12345'))
    assert.equal(Buffer.from((await read(store, `${prefix}key`, 5)).bytes).toString(), '12345')
    await assert.rejects(
      store.get(`${prefix}key`, {maxBytes: 4}),
      (error) => error instanceof ObjectStoreError && error.code === 'TOO_LARGE',
    )
  })

  test(`${name}: lists keys below a prefix in byte order, in pages`, async () => {
    const {store, prefix} = begin()
    const names = ['a', 'a-b', 'a-b-c/d', 'a0', 'b', 'B', 'é', 'z/1', 'z/2']
    await Promise.all(names.map((name) => store.put(`${prefix}${name}`, bytes(name))))
    await store.put(`${prefix.slice(0, -1)}-other`, bytes('not below the prefix'))
    const sorted = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    const strip = (keys: string[]): string[] => keys.map((key) => key.slice(prefix.length))
    assert.deepEqual(strip(await store.list(prefix)), sorted)
    assert.deepEqual(strip(await store.list(prefix, {limit: 3})), sorted.slice(0, 3))
    const after = `${prefix}${sorted[2]}`
    assert.deepEqual(strip(await store.list(prefix, {after, limit: 4})), sorted.slice(3, 7))
    assert.deepEqual(await store.list(`${prefix}none/`), [])
  })

  test(`${name}: gives up a read that is aborted`, async () => {
    const {store, prefix} = begin()
    await store.put(`${prefix}key`, bytes('x'))
    await assert.rejects(
      store.get(`${prefix}key`, {signal: AbortSignal.abort()}),
      (error) => error instanceof ObjectStoreError && error.code === 'UNAVAILABLE',
    )
  })
}

async function read(store: ObjectStore, key: string, maxBytes?: number): Promise<StoredObject> {
  const stored = await store.get(key, maxBytes === undefined ? {} : {maxBytes})
  assert.ok(typeof stored === 'object', `${key} is ${String(stored)}`)
  return stored
}
