import assert from 'node:assert/strict'
import {test} from 'node:test'
import {clusterAccess, FUNCTION_NAMES, functionAccess, type StoreGrant} from '#shared/model/access.ts'

const writers = (prefix: string) =>
  FUNCTION_NAMES.filter((name) =>
    functionAccess[name].some(({actions, keys}) => actions.includes('s3:PutObject') && keys.startsWith(prefix)),
  )

test('has one writer for each kind of object', () => {
  assert.deepEqual(writers('bundles/'), ['render'])
  assert.deepEqual(writers('attestations/'), ['publish'])
  assert.deepEqual(writers('clusters/'), ['publish'])
  assert.deepEqual(writers('status/'), ['status'])
  assert.deepEqual(writers('history/'), ['status'])
})

test('lets bundles and history only be added, and all else only be swapped', () => {
  const all: StoreGrant[] = Object.values(functionAccess).flat()
  for (const {actions, keys, writes} of all) {
    assert.equal(actions.includes('s3:PutObject'), writes !== undefined)
    if (writes === undefined) continue
    assert.equal(writes, /^(bundles|history)\//.test(keys) ? 'create' : 'swap', keys)
  }
})

test("gives a cluster its own two keys and everybody's bundles, by exact name", () => {
  assert.deepEqual(
    clusterAccess('a').map(({keys}) => keys),
    ['clusters/a/desired', 'clusters/a/report', 'bundles/*', 'attestations/*'],
  )
  assert.deepEqual(
    clusterAccess('a').flatMap(({actions, keys}) => (actions.includes('s3:PutObject') ? [keys] : [])),
    ['clusters/a/report'],
  )
})

test('lets publish read the version that each cluster says it has accepted, and write no report', () => {
  const reports = functionAccess.publish.filter(({keys}) => keys === 'clusters/*/report')
  assert.deepEqual(reports, [{actions: ['s3:GetObject'], keys: 'clusters/*/report'}])
})
