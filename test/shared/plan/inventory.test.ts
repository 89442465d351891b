import assert from 'node:assert/strict'
import {createHash} from 'node:crypto'
import {test} from 'node:test'
import {gunzipSync, gzipSync} from 'node:zlib'
import fc from 'fast-check'
import {refKey} from '#shared/model/object-ref.ts'
import {
  decodeInventory,
  encodeInventory,
  maxInventoryChunkBytes,
  orderInventoryWrites,
} from '#shared/plan/encode-inventory.ts'
import {type InventoryEntry, inventoryUnion} from '#shared/plan/inventory.ts'
import {InventoryError} from '#shared/plan/inventory-error.ts'

const hex = fc.stringMatching(/^[0-9a-f]{16}$/)
const arbitraryEntry: fc.Arbitrary<InventoryEntry> = fc
  .record({
    version: fc.constantFrom('v1', 'apps/v1', 'example.com/v1beta1'),
    kind: fc.constantFrom('ConfigMap', 'Deployment', 'Widget'),
    namespace: fc.constantFrom('', 'web', 'db'),
    name: fc.stringMatching(/^[a-z]{1,3}$/),
    applied: fc.oneof(hex, fc.constant('')),
    fields: fc.oneof(hex, fc.constant('')),
    uid: fc.option(fc.uuid(), {nil: undefined}),
  })
  .map(({version, kind, namespace, name, applied, fields, uid}) => ({
    ref: {group: version.split('/').length > 1 ? (version.split('/')[0] ?? '') : '', kind, namespace, name},
    version,
    applied,
    fields,
    ...(uid === undefined ? {} : {uid}),
  }))
const arbitraryInventory = fc.uniqueArray(arbitraryEntry, {selector: (entry) => refKey(entry.ref), maxLength: 80})

function keysOf(entries: InventoryEntry[]): string[] {
  return entries.map((entry) => refKey(entry.ref)).sort()
}

function entry(name: string, facts: Partial<InventoryEntry> = {}): InventoryEntry {
  const ref = {group: '', kind: 'ConfigMap', namespace: 'web', name}
  return {ref, version: 'v1', applied: 'a'.repeat(16), fields: 'f'.repeat(16), ...facts}
}

function manyEntries(count: number): InventoryEntry[] {
  return Array.from({length: count}, (_, index) => {
    const digest = createHash('sha256').update(String(index)).digest('hex')
    const uid = `${digest.slice(0, 8)}-${digest.slice(8, 12)}-4${digest.slice(13, 16)}-8${digest.slice(17, 20)}-${digest.slice(20, 32)}`
    return entry(`config-${index}`, {applied: digest.slice(32, 48), fields: digest.slice(48), uid})
  })
}

// With names that can't be compressed, so that a few fill a chunk.
function bulkyEntries(count: number): InventoryEntry[] {
  return Array.from({length: count}, (_, index) => {
    const name = createHash('shake256', {outputLength: 1000}).update(String(index)).digest('hex')
    return entry(name)
  })
}

function rejectsWith(code: string): (error: unknown) => boolean {
  return (error) => error instanceof InventoryError && error.code === code
}

test('reads back what it wrote, and writes the same for the same entries in any order', () => {
  fc.assert(
    fc.property(arbitraryInventory, (entries) => {
      const chunks = encodeInventory(entries)
      assert.deepEqual(decodeInventory(chunks.toReversed()), inventoryUnion(entries, []))
      assert.deepEqual(encodeInventory(entries.toReversed()), chunks)
    }),
  )
})

test('a union holds every entry of both once, and nothing else', () => {
  fc.assert(
    fc.property(arbitraryInventory, arbitraryInventory, (a, b) => {
      assert.deepEqual(keysOf(inventoryUnion(a, b)), [...new Set([...keysOf(a), ...keysOf(b)])].sort())
    }),
  )
})

test('a union calls an object applied only where both agree on what was applied', () => {
  const [same] = inventoryUnion([entry('a', {fields: ''})], [entry('a', {uid: 'u1'})])
  assert.deepEqual(same, entry('a', {uid: 'u1'}))
  const [begun] = inventoryUnion([entry('a', {uid: 'u1'})], [entry('a', {applied: '', fields: ''})])
  assert.deepEqual(begun, entry('a', {applied: '', fields: '', uid: 'u1'}))
  const [disputed] = inventoryUnion([entry('a')], [entry('a', {applied: 'b'.repeat(16)})])
  assert.deepEqual(disputed, entry('a', {applied: '', fields: ''}))
  const [replaced] = inventoryUnion([entry('a', {uid: 'u1'})], [entry('a', {uid: 'u2'})])
  assert.equal(replaced?.uid, undefined)
})

test('an object that moved to a newer API version is the same object, known by the newer version', () => {
  const ref = {group: 'example.com', kind: 'Widget', namespace: 'web', name: 'a'}
  const union = inventoryUnion(
    [entry('a', {ref, version: 'example.com/v1beta1'})],
    [entry('a', {ref, version: 'example.com/v1'})],
  )
  assert.deepEqual(
    union.map(({version}) => version),
    ['example.com/v1'],
  )
})

test('keeps 10,000 objects in one small chunk, quickly', (t) => {
  const entries = manyEntries(10_000)
  const begun = performance.now()
  const chunks = encodeInventory(entries)
  const encoded = performance.now()
  assert.equal(decodeInventory(chunks).length, entries.length)
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  t.diagnostic(
    `${bytes} bytes in ${chunks.length} chunk(s); encoded in ${Math.round(encoded - begun)} ms, decoded in ${Math.round(performance.now() - encoded)} ms`,
  )
  assert.equal(chunks.length, 1)
})

test('splits what is too much for one chunk, each below the limit', () => {
  const entries = bulkyEntries(1_500)
  const chunks = encodeInventory(entries)
  assert.ok(chunks.length > 1)
  for (const chunk of chunks) assert.ok(chunk.length < maxInventoryChunkBytes)
  assert.deepEqual(keysOf(decodeInventory(chunks)), keysOf(entries))
})

test('loses no entry when writing stops between any two chunks, growing or shrinking', () => {
  const small = bulkyEntries(300)
  const large = bulkyEntries(2_500)
  for (const [from, to] of [
    [small, large],
    [large, small],
    [large, large.slice(0, 1_200)],
  ] as const) {
    const stored = new Map(encodeInventory(from).map((chunk, index) => [index, chunk]))
    const writes = orderInventoryWrites(stored.size, encodeInventory(to))
    const wanted = new Set(keysOf(to))
    const kept = keysOf(from).filter((key) => wanted.has(key))
    for (const {index, write} of writes) {
      if (write === 'remove') stored.delete(index)
      else stored.set(index, write)
      const readable = new Set(keysOf(decodeInventory([...stored.values()])))
      assert.ok(kept.every((key) => readable.has(key)))
    }
    assert.deepEqual(keysOf(decodeInventory([...stored.values()])), keysOf(to))
  }
})

test('refuses an inventory of which a chunk is missing', () => {
  const chunks = encodeInventory(bulkyEntries(1_500))
  assert.throws(() => decodeInventory(chunks.slice(1)), rejectsWith('MISSING_CHUNK'))
  assert.throws(() => decodeInventory([]), rejectsWith('MISSING_CHUNK'))
})

test('refuses bytes that are no inventory, and one of another version', () => {
  const pack = (value: unknown): Uint8Array => gzipSync(JSON.stringify(value))
  assert.throws(() => decodeInventory([Buffer.from('x')]), rejectsWith('MALFORMED'))
  assert.throws(() => decodeInventory([pack({kind: 'Inventory'})]), rejectsWith('MALFORMED'))
  const later = {apiVersion: 'drawbridge.dev/v9', kind: 'Inventory', index: 0, chunks: 1, groups: []}
  assert.throws(() => decodeInventory([pack(later)]), rejectsWith('UNSUPPORTED_VERSION'))
})

test('refuses a chunk that would fill the memory', () => {
  const chunk = gunzipSync(encodeInventory([entry('a')])[0] ?? '')
  const padded = Buffer.concat([chunk, Buffer.alloc(65 * 1024 * 1024, ' ')])
  assert.doesNotThrow(() => decodeInventory([gzipSync(padded.subarray(0, 1024 * 1024))]))
  assert.throws(() => decodeInventory([gzipSync(padded)]), rejectsWith('MALFORMED'))
})
