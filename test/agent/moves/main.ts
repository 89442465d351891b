// 500 random pushes with kills of the agent, on a control plane of its own: `npm run test:moves -- [SEED [PUSHES]]`.
import {startTestCluster} from '../open-test-cluster.ts'
import {runMoves} from './run-moves.ts'

const [seed = Date.now() % 2 ** 31, pushes = 500] = process.argv.slice(2).map(Number)
const cluster = await startTestCluster()
const closings: (() => Promise<void>)[] = []
const begun = performance.now()
try {
  process.stdout.write(`seed ${seed}\n`)
  const outcome = await runMoves(cluster, {after: (close) => void closings.push(close)}, {seed, pushes, name: 'moves'})
  const seconds = Math.round((performance.now() - begun) / 1000)
  process.stdout.write(`${JSON.stringify({seed, ...outcome, seconds})}\n`)
} finally {
  for (const close of closings) await close()
  await cluster.stop()
}
