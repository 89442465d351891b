import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import fc from 'fast-check'
import {childObject, type JsonObject} from '#shared/model/manifest.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {applyAs, configMap, createTestBridge, namespace, types, waitUntil} from './start-test-agent.ts'

const OBJECTS = 12
const OPERATIONS = 300
const SEED = 20_260_701

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster.stop())

const operations = fc.record({
  kind: fc.constantFrom('edit', 'edit', 'replace', 'delete', 'unlabel', 'relabel', 'apply', 'add', 'strip'),
  object: fc.nat(OBJECTS - 1),
  value: fc.nat(9),
})
type Operation = ReturnType<typeof sampleOperations>[number]
const sampleOperations = () => fc.sample(operations, {seed: SEED, numRuns: OPERATIONS})

const nameOf = (index: number) => `o${index}`
const desiredData = (index: number) => ({a: `desired-${index}`, b: 'constant'})

/** Does what another client may do; what is not there (any more) is left out. */
async function perform(space: string, {kind, object, value}: Operation): Promise<void> {
  const name = nameOf(object)
  const target = {namespace: space, name}
  const theirs = configMap(space, name, {a: `theirs-${value}`})
  if (kind === 'delete') {
    await cluster.admin.delete(types.configMap, target, {propagation: 'Background'})
    return
  }
  if (kind === 'apply') return applyAs(cluster.admin, 'drawbridge', types.configMap, theirs)
  if (kind === 'edit') return applyAs(cluster.admin, `kubectl-${value}`, types.configMap, theirs)
  if (kind === 'add')
    return applyAs(cluster.admin, 'adder', types.configMap, configMap(space, name, {more: `${value}`}))
  const live = await cluster.admin.get(types.configMap, target, 'whole')
  if (live === 'absent') return
  const labels: JsonObject = kind === 'unlabel' ? {} : {'drawbridge.dev/app': kind === 'relabel' ? 'somebody' : space}
  const metadata = {...live.metadata, namespace: space, labels, ...(kind === 'strip' ? {managedFields: [{}]} : {})}
  const data =
    kind === 'replace' ? {...childObject(live, 'data'), b: `theirs-${value}`} : (childObject(live, 'data') ?? {})
  // Somebody else was quicker: that is an operation that did not happen.
  await cluster.admin.replace(types.configMap, {...live, metadata, data})
}

/** Per object what is there: owner and the two values that are ours. */
async function stateOf(space: string): Promise<Map<string, string>> {
  const {items} = await cluster.admin.list(types.configMap, {detail: 'whole', namespace: space})
  return new Map(
    items.map((item) => {
      const owner = childObject(item.metadata, 'labels')?.['drawbridge.dev/app']
      const {a, b} = childObject(item, 'data') ?? {}
      return [item.metadata.name, `${owner} ${a} ${b}`]
    }),
  )
}

const wrongOf = (space: string, state: Map<string, string>) =>
  Array.from({length: OBJECTS}, (_, index) => index).filter((index) => {
    const {a, b} = desiredData(index)
    return state.get(nameOf(index)) !== `${space} ${a} ${b}`
  })

const manifestsOf = (space: string) => [
  namespace(space),
  ...Array.from({length: OBJECTS}, (_, index) => configMap(space, nameOf(index), desiredData(index))),
]

test(`converges after ${OPERATIONS} random operations of others (seed ${SEED})`, async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'random-heal'
  const agent = bridge.startAgent()
  await bridge.publish({[space]: {manifests: manifestsOf(space)}})
  await agent.waitFor({event: 'healthy', app: space})
  for (const operation of sampleOperations()) await perform(space, operation)
  // The pause between heals of what is fought about is half a minute.
  let wrong: number[] = []
  await waitUntil(
    async () => {
      wrong = wrongOf(space, await stateOf(space))
      return wrong.length === 0
    },
    () => `as desired: ${wrong.map(nameOf).join(', ')}; ${JSON.stringify(bridge.report()?.apps[0]?.drifted)}`,
    90_000,
  )
  await waitUntil(() => bridge.report()?.apps[0]?.driftedTotal === 0, 'no drift in the report', 45_000)
})

test(`reports all and undoes nothing of ${OPERATIONS} random operations where it only detects (seed ${SEED})`, async (t) => {
  const bridge = await createTestBridge(cluster, t)
  const space = 'random-detect'
  const agent = bridge.startAgent()
  await bridge.publish({[space]: {manifests: manifestsOf(space), sync: {drift: 'detect'}}})
  await agent.waitFor({event: 'healthy', app: space})
  const before = agent.requests.length
  for (const operation of sampleOperations()) await perform(space, operation)
  const left = await stateOf(space)
  const wrong = wrongOf(space, left).map(nameOf).sort()
  assert.ok(wrong.length >= OBJECTS / 2, `${wrong.length} objects differ`)
  let reported: string[] = []
  await waitUntil(
    () => {
      reported = (bridge.report()?.apps[0]?.drifted ?? []).map(({ref}) => ref.name).sort()
      return JSON.stringify(reported) === JSON.stringify(wrong)
    },
    () => `reported ${reported.join(', ')}, differ ${wrong.join(', ')}; ${agent.lines.slice(-5).join('\n')}`,
  )
  assert.deepEqual(await stateOf(space), left)
  const applied = agent.requests
    .slice(before)
    .filter(({method, path}) => method !== 'GET' && path.includes(`/namespaces/${space}/`) && !path.includes('dryRun'))
  assert.deepEqual(applied, [])
})
