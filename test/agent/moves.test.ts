import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import {runMoves} from './moves/run-moves.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster.stop())

test('over 25 random pushes of three apps nothing revoked stays, nothing desired is missing, and what moves keeps its uid', async (t) => {
  const {pushes, rests, moved, kills} = await runMoves(cluster, t, {seed: 20_261_128, pushes: 25, name: 'moves-short'})
  assert.equal(pushes, 25)
  assert.ok(rests > 5 && moved > 0 && kills > 0, JSON.stringify({rests, moved, kills}))
})
