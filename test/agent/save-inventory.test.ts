import assert from 'node:assert/strict'
import {test} from 'node:test'
import {keepEntry} from '#agent/agent-context.ts'
import {type AppState, createAppState} from '#agent/app-state.ts'
import type {InventoryStore} from '#agent/inventory-store.ts'
import {removeInventory, saveInventory} from '#agent/save-inventory.ts'
import {refKey} from '#shared/model/object-ref.ts'

/** A cluster that takes each write when it is told to: what it holds is what was taken last. */
function createSlowStore() {
  const pending: {names: string[]; take: () => void; refuse: () => void}[] = []
  let held: string[] = []
  let most = 0
  const save: InventoryStore['save'] = (_, entries) => {
    const names = entries.map(({ref}) => ref.name)
    const {promise, resolve, reject} = Promise.withResolvers<void>()
    const write = {
      names,
      take() {
        pending.splice(pending.indexOf(write), 1)
        held = names
        resolve()
      },
      refuse() {
        pending.splice(pending.indexOf(write), 1)
        reject(new Error('refused'))
      },
    }
    pending.push(write)
    most = Math.max(most, pending.length)
    return promise
  }
  return {inventories: {save}, pending, held: () => held, most: () => most}
}

function note(app: AppState, name: string): void {
  const ref = {group: 'batch', kind: 'Job', namespace: 'web', name}
  keepEntry({owners: new Map()}, app, refKey(ref), {ref, version: 'batch/v1', applied: '', fields: ''})
}
/** Lets all that can go on do so. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

test('two hooks that end at the same time write one after the other, and the newer write is the last', async () => {
  const store = createSlowStore()
  const app = createAppState('web', new Date(0))
  note(app, 'first')
  const first = saveInventory(store, app)
  await settle()
  note(app, 'second')
  const second = saveInventory(store, app)
  await settle()
  // The newest that is under way is taken first: an older one that is too would win.
  while (store.pending.length > 0) {
    store.pending.at(-1)?.take()
    await settle()
  }
  await Promise.all([first, second])
  assert.deepEqual(store.held(), ['first', 'second'])
  assert.equal(store.most(), 1)
  assert.equal(app.unsaved, false)
})

test('who asks while a write is under way shares the next one, which has all of theirs', async () => {
  const store = createSlowStore()
  const app = createAppState('web', new Date(0))
  const saves = [saveInventory(store, app)]
  await settle()
  for (const name of ['a', 'b', 'c']) {
    note(app, name)
    saves.push(saveInventory(store, app))
  }
  store.pending[0]?.take()
  await settle()
  assert.deepEqual(
    store.pending.map(({names}) => names),
    [['a', 'b', 'c']],
  )
  assert.ok(app.unnoted.size === 0 && store.held().length === 0)
  store.pending[0]?.take()
  await Promise.all(saves)
  assert.deepEqual(store.held(), ['a', 'b', 'c'])
  assert.equal(store.pending.length, 0)
})

test('a write that fails is told to those that waited for it alone, and what it had is not lost', async () => {
  const store = createSlowStore()
  const app = createAppState('web', new Date(0))
  note(app, 'first')
  const first = assert.rejects(saveInventory(store, app), /refused/)
  await settle()
  note(app, 'second')
  const second = saveInventory(store, app)
  store.pending[0]?.refuse()
  await first
  await settle()
  store.pending[0]?.take()
  await second
  assert.deepEqual(store.held(), ['first', 'second'])
  assert.equal(app.unsaved, false)
})

test('an app is forgotten when what is being written of it has landed, so that it does not come back', async () => {
  const store = createSlowStore()
  const app = createAppState('web', new Date(0))
  const order: string[] = []
  note(app, 'first')
  const saves = [saveInventory(store, app)]
  await settle()
  note(app, 'second')
  saves.push(saveInventory(store, app))
  for (const [index, save] of saves.entries()) void save.then(() => order.push(`save ${index}`))
  const removed = removeInventory({inventories: {remove: async () => void order.push('removed')}}, app)
  for (let write = 0; write < 2; write++) {
    await settle()
    store.pending[0]?.take()
  }
  await removed
  assert.deepEqual(order, ['save 0', 'save 1', 'removed'])
})
