import assert from 'node:assert/strict'
import {test} from 'node:test'
import fc from 'fast-check'
import {openTreeView} from '#functions/render/box/tree-view.ts'
import {RenderError} from '#functions/render/render-error.ts'
import {joinPath, resolvePath} from '#functions/render/resolve-path.ts'
import {blobId} from '#shared/git/object-id.ts'
import {memoryTree} from './box/memory-tree.ts'

test('follows symbolic links that stay in the repository, to files and folders', async () => {
  const tree = memoryTree({
    'a/real.yaml': 'x',
    'b/link.yaml': {link: '../a/real.yaml'},
    'c/folder': {link: '../a'},
    d: {link: 'c/folder/../b'},
  })
  assert.equal((await resolvePath(tree, 'b/link.yaml'))?.path, 'a/real.yaml')
  assert.equal((await resolvePath(tree, 'c/folder/real.yaml'))?.path, 'a/real.yaml')
  assert.deepEqual(await openTreeView(tree).list('c/folder'), [
    {name: 'real.yaml', stat: {type: 'file', path: 'a/real.yaml', oid: blobId(Buffer.from('x'))}},
  ])
  assert.deepEqual(await openTreeView(tree).list('c'), [{name: 'folder', stat: {type: 'folder', path: 'a'}}])
  assert.equal(await resolvePath(tree, 'a/real.yaml/below'), undefined)
  assert.equal(await resolvePath(tree, 'nothing'), undefined)
})

test('never leads out of the repository, whatever links and paths say', async () => {
  const part = fc.constantFrom('a', 'b', 'c', '..', '.', '')
  const path = fc.array(part, {minLength: 1, maxLength: 6}).map((parts) => parts.join('/'))
  const links = fc.dictionary(
    fc.constantFrom('a/x', 'a/b/y', 'b', 'c/z', 'l'),
    fc
      .oneof(
        path,
        path.map((text) => `/${text}`),
      )
      .map((link) => ({link})),
  )
  await fc.assert(
    fc.asyncProperty(links, path, async (files, wanted) => {
      const tree = memoryTree({...files, 'a/file': 'x', 'c/b/a': 'x'})
      try {
        const found = await resolvePath(tree, wanted)
        assert.ok(found === undefined || (found.type !== 'symlink' && !found.path.split('/').includes('..')))
        const seen = await openTreeView(tree).stat(wanted)
        assert.ok(seen.type === 'absent' || !seen.path.split('/').includes('..'))
      } catch (error) {
        assert.ok(error instanceof RenderError, String(error))
      }
    }),
    {numRuns: 1000},
  )
})

test('joins paths onto folders, and refuses what leaves', () => {
  assert.equal(joinPath('a/b', '../c/./d'), 'a/c/d')
  assert.equal(joinPath('', 'a//b/'), 'a/b')
  for (const path of ['..', '../x', 'a/../../x', '/etc']) assert.throws(() => joinPath('', path), RenderError)
})
