import assert from 'node:assert/strict'
import {test} from 'node:test'
import fc from 'fast-check'
import {createFolderCache} from '#shared/git/folder-cache.ts'
import {treeId} from '#shared/git/object-id.ts'
import {parseTreeObject} from '#shared/git/parse-tree-object.ts'

const item = (name: string) => ({name, type: 'file' as const, oid: '0'.repeat(40), executable: false})

test('forgets the folder that was not used for longest once it is full', () => {
  const cache = createFolderCache(6)
  cache.set('a', [item('x')])
  cache.set('b', [item('x')])
  cache.set('c', [item('x')])
  assert.ok(cache.get('a'))
  cache.set('d', [item('x')])
  assert.equal(cache.get('b'), undefined)
  for (const oid of ['a', 'c', 'd']) assert.ok(cache.get(oid), oid)
  cache.set(
    'huge',
    Array.from({length: 7}, () => item('x')),
  )
  assert.equal(cache.get('huge'), undefined)
})

test('reads tree objects, and takes damaged ones for damaged', () => {
  const entry = fc.record({
    mode: fc.constantFrom('40000', '100644', '100755', '120000', '160000'),
    name: fc.string({minLength: 1, unit: 'grapheme'}).filter((name) => !/[/\0]/.test(name) && name.isWellFormed()),
    oid: fc.stringMatching(/^[0-9a-f]{40}$/),
  })
  fc.assert(
    fc.property(fc.array(entry, {maxLength: 5}), (entries) => {
      const parts = entries.map(({mode, name, oid}) =>
        Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, 'hex')]),
      )
      const content = Buffer.concat(parts)
      const read = parseTreeObject(content)
      assert.deepEqual(
        read.map(({name, oid, executable}) => [name, oid, executable]),
        entries.map(({name, oid, mode}) => [name, oid, mode === '100755']),
      )
      if (content.length > 0) assert.throws(() => parseTreeObject(content.subarray(0, content.length - 1)), /damaged/)
    }),
  )
})

test("computes git's own id of a tree", () => {
  assert.equal(treeId([]), '4b825dc642cb6eb9a060e54bf8d69288fbee4904')
})
