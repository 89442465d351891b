import assert from 'node:assert/strict'
import {test} from 'node:test'
import {openTreeView} from '#functions/render/box/tree-view.ts'
import {memoryTree} from './memory-tree.ts'

test('a path of very many parts is looked up once, and no deeper than there is anything', async () => {
  const parts = Array.from({length: 3_000}, (_, index) => `p${index}`)
  const tree = memoryTree({[`${parts.slice(0, 100).join('/')}/a.yaml`]: 'x', 'b.yaml': 'x'})
  let lists = 0
  const list = (folder: string) => {
    lists += 1
    return tree.list(folder)
  }
  const view = openTreeView({...tree, list})
  assert.deepEqual(await view.stat(parts.join('/')), {type: 'absent'})
  assert.equal(lists, 101)
  const [first] = parts
  assert.deepEqual(await view.stat(`${first}/p1/nothing`), {type: 'absent'})
  assert.equal((await view.stat(`${parts.slice(0, 100).join('/')}/a.yaml`)).type, 'file')
  assert.deepEqual(await view.stat(`b.yaml/${parts.join('/')}`), {type: 'absent'})
  assert.equal(lists, 101)
})
