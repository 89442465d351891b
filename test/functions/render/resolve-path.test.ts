import assert from 'node:assert/strict'
import {test} from 'node:test'
import fc from 'fast-check'
import {listFiles} from '#functions/render/list-files.ts'
import {RenderError} from '#functions/render/render-error.ts'
import {joinPath, resolvePath} from '#functions/render/resolve-path.ts'
import type {SourceTree, TreeEntry} from '#shared/ports/git-source.ts'

/** A tree from paths to texts; `-> target` is a symbolic link. */
function treeOf(files: Record<string, string>): SourceTree {
  const entries = new Map<string, TreeEntry>()
  for (const [path, text] of Object.entries(files)) {
    const parts = path.split('/')
    for (let length = 1; length < parts.length; length++) {
      const folder = parts.slice(0, length).join('/')
      entries.set(folder, {path: folder, type: 'folder', oid: folder, executable: false})
    }
    entries.set(path, {path, type: text.startsWith('-> ') ? 'symlink' : 'file', oid: text, executable: false})
  }
  entries.set('', {path: '', type: 'folder', oid: '', executable: false})
  const parentOf = (path: string) => (path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '')
  return {
    commit: '0'.repeat(40),
    entry: async (path) => entries.get(path),
    list: async (folder) => [...entries.values()].filter(({path}) => path !== '' && parentOf(path) === folder),
    read: async (path) => Buffer.from((files[path] ?? '').replace(/^-> /, '')),
    close: async () => undefined,
  }
}

const everything = {recurse: true, accepts: () => true}

test('follows symbolic links that stay in the repository, to files and folders', async () => {
  const tree = treeOf({
    'a/real.yaml': 'x',
    'b/link.yaml': '-> ../a/real.yaml',
    'c/folder': '-> ../a',
    d: '-> c/folder/../b',
  })
  assert.equal((await resolvePath(tree, 'b/link.yaml'))?.path, 'a/real.yaml')
  assert.equal((await resolvePath(tree, 'c/folder/real.yaml'))?.path, 'a/real.yaml')
  const files = await listFiles(tree, 'c', everything)
  assert.deepEqual(
    files.map(({path, realPath}) => [path, realPath]),
    [['c/folder/real.yaml', 'a/real.yaml']],
  )
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
      .map((text) => `-> ${text}`),
  )
  await fc.assert(
    fc.asyncProperty(links, path, async (files, wanted) => {
      const tree = treeOf({...files, 'a/file': 'x', 'c/b/a': 'x'})
      try {
        const found = await resolvePath(tree, wanted)
        assert.ok(found === undefined || (found.type !== 'symlink' && !found.path.split('/').includes('..')))
        for (const file of await listFiles(tree, '', everything))
          assert.ok(!`${file.path}/${file.realPath}`.includes('..'))
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
