import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import type {ResourceType} from '#agent/kube/kube-client.ts'
import type {JsonObject, Manifest} from '#shared/model/manifest.ts'
import {openTestCluster, type TestCluster} from './open-test-cluster.ts'
import {
  annotated,
  applyAs,
  createTestBridge,
  namespace,
  type TestAgent,
  waitUntil,
  writesOf,
} from './start-test-agent.ts'

let cluster: TestCluster
before(async () => {
  cluster = await openTestCluster()
})
after(() => cluster.stop())

// A JavaScript number holds the even one and not the odd one.
const EVEN = 2n ** 53n
const ODD = EVEN + 1n
const LARGEST = 2n ** 63n - 1n

const typeOf = (group: string): ResourceType => ({
  group,
  version: 'v1',
  kind: 'Counter',
  plural: 'counters',
  namespaced: true,
})

/** Its schema has a bound as real ones have; the API server itself keeps bounds as floats. */
function definition(group: string): Manifest {
  const spec: JsonObject = {
    type: 'object',
    'x-kubernetes-preserve-unknown-fields': true,
    properties: {typed: {type: 'integer', format: 'int64'}, bounded: {type: 'integer', maximum: LARGEST}},
  }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {name: `counters.${group}`},
    spec: {
      group,
      scope: 'Namespaced',
      names: {kind: 'Counter', plural: 'counters', singular: 'counter', listKind: 'CounterList'},
      versions: [
        {name: 'v1', served: true, storage: true, schema: {openAPIV3Schema: {type: 'object', properties: {spec}}}},
      ],
    },
  }
}

const counter = (group: string, spec: JsonObject): Manifest => ({
  apiVersion: `${group}/v1`,
  kind: 'Counter',
  metadata: {name: 'a', namespace: group.replaceAll('.', '-')},
  spec,
})
const app = (group: string, object: Manifest) => [namespace(group.replaceAll('.', '-')), definition(group), object]

/** The spec as the server's own text, which no reader of ours has touched. */
async function specText(group: string): Promise<string> {
  const path = `/apis/${group}/v1/namespaces/${group.replaceAll('.', '-')}/counters/a`
  const {body} = await cluster.transport.send({method: 'GET', path, what: 'read a counter'})
  return /"spec":(\{.*\})\}\s*$/.exec(body)?.[1] ?? ''
}
const writesTo = (group: string, {requests}: TestAgent) =>
  writesOf(requests).filter((write) => write.includes(group) && !write.includes('dryRun'))

test('numbers beyond 2^53 arrive as their digits, drift by one is healed, and what is as declared is not written again', async (t) => {
  const group = 'exact.numbers.example'
  const bridge = await createTestBridge(cluster, t)
  const first = bridge.startAgent()
  const object = counter(group, {typed: ODD, free: [{at: -LARGEST}], largest: LARGEST})
  const digits = `{"free":[{"at":${-LARGEST}}],"largest":${LARGEST},"typed":${ODD}}`
  await bridge.publish({exact: {manifests: app(group, object)}})
  await first.waitFor({event: 'healthy', app: 'exact'})
  assert.equal(await specText(group), digits)

  await applyAs(cluster.admin, 'somebody', typeOf(group), counter(group, {typed: EVEN}))
  const drifted = await first.waitFor({event: 'drifted', app: 'exact'})
  assert.match(drifted.message ?? '', /\/spec\/typed/)
  await first.waitFor({event: 'healed', app: 'exact'})
  assert.equal(await specText(group), digits)

  const written = writesTo(group, first).length
  const seen = first.events.length
  await bridge.publish({exact: {manifests: app(group, object), rendererVersion: '2'}})
  await first.waitFor({event: 'healthy', app: 'exact'}, {after: seen})
  assert.equal(writesTo(group, first).length, written, 'another bundle of the same objects')
  await first.stop()
  const instance = bridge.report()?.agent.instance
  const second = bridge.startAgent()
  await waitUntil(() => bridge.report()?.agent.instance !== instance, 'the report of the second agent')
  await waitUntil(() => bridge.report()?.apps[0]?.ready === 'True', 'the app ready again')
  await second.stop()
  assert.deepEqual(writesTo(group, second), [], 'a restart')
})

test('a report tells both numbers by their digits', async (t) => {
  const group = 'told.numbers.example'
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  await bridge.publish({told: {manifests: app(group, counter(group, {typed: ODD})), sync: {drift: 'detect'}}})
  await agent.waitFor({event: 'healthy', app: 'told'})
  await applyAs(cluster.admin, 'somebody', typeOf(group), counter(group, {typed: EVEN}))
  const fields = () => bridge.report()?.apps[0]?.drifted[0]?.fields
  await waitUntil(() => fields() !== undefined, 'a report of the drift')
  assert.deepEqual(fields(), [{path: '/spec/typed', difference: 'changed', from: EVEN, to: ODD}])
})

test('what others may change is found by its number, and the rest keeps its digits when it is applied', async (t) => {
  const group = 'ignored.numbers.example'
  const bridge = await createTestBridge(cluster, t)
  const agent = bridge.startAgent()
  const jqPathExpressions = [`.spec.list[] | select(.at == ${ODD}) | .size`]
  const publish = (size: number) =>
    bridge.publish({
      ignored: {
        manifests: app(
          group,
          counter(group, {
            list: [
              {at: EVEN, size},
              {at: ODD, size},
            ],
            typed: ODD,
          }),
        ),
        sync: {ignoreDifferences: [{group, kind: 'Counter', jqPathExpressions}]},
      },
    })
  await publish(1)
  await agent.waitFor({event: 'healthy', app: 'ignored'})
  const seen = agent.events.length
  await publish(2)
  await agent.waitFor({event: 'healthy', app: 'ignored'}, {after: seen})
  const list = `[{"at":${EVEN},"size":2},{"at":${ODD},"size":1}]`
  assert.equal(await specText(group), `{"list":${list},"typed":${ODD}}`)
})

const ways: [string, string, Record<string, string>][] = [
  ['replaced as a whole', 'replaced', {'argocd.argoproj.io/sync-options': 'Replace=true'}],
  ['only created', 'once', {'kustomize.toolkit.fluxcd.io/ssa': 'IfNotPresent'}],
  ['a hook', 'hook', {'argocd.argoproj.io/hook': 'PostSync'}],
]
for (const [what, name, annotations] of ways) {
  test(`an object that is ${what} has the same digits`, async (t) => {
    const group = `${name}.numbers.example`
    const bridge = await createTestBridge(cluster, t)
    const agent = bridge.startAgent()
    const publish = (largest: bigint) =>
      bridge.publish({[name]: {manifests: app(group, annotated(counter(group, {largest, typed: ODD}), annotations))}})
    await publish(LARGEST)
    await agent.waitFor({event: 'healthy', app: name})
    assert.equal(await specText(group), `{"largest":${LARGEST},"typed":${ODD}}`)
    if (name !== 'replaced') return
    const seen = agent.events.length
    await publish(LARGEST - 1n)
    await agent.waitFor({event: 'healthy', app: name}, {after: seen})
    assert.equal(await specText(group), `{"largest":${LARGEST - 1n},"typed":${ODD}}`)
  })
}
