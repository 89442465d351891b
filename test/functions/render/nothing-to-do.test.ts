import assert from 'node:assert/strict'
import {type TestContext, test} from 'node:test'
import {keys} from '#shared/model/keys.ts'
import {QueueError} from '#shared/ports/queue-error.ts'
import {SourceError} from '#shared/ports/source-error.ts'
import {createRepository, RenderBridge, renderPool, type TestRepository, temporaryFolder} from './bridge-fixture.ts'
import {app, cluster, configMap} from './fleet-files.ts'

/** Counts what is asked of the git host and read in full from the store. */
function watch(bridge: RenderBridge) {
  const asked: string[] = []
  const {git, store} = bridge.ports
  const nameOf = (url: string): string => url.replace(/^.*\//, '').replace('.git', '')
  bridge.ports.git = {
    resolveRef: async (repository, ref) => {
      asked.push(`resolve ${nameOf(repository)} ${ref.replace('refs/heads/', '')}`)
      return await git.resolveRef(repository, ref)
    },
    fetchTree: async (repository, commit, ref) => {
      asked.push(`fetch ${nameOf(repository)}`)
      return await git.fetchTree(repository, commit, ref)
    },
  }
  bridge.ports.store = {
    ...store,
    get: async (key, options) => {
      const found = await store.get(key, options)
      if (typeof found !== 'string' && key.startsWith('clusters/')) asked.push(`read ${key}`)
      return found
    },
  }
  return {take: () => asked.splice(0).sort()}
}

/** A fleet with an app of its own and one from another repository, published; and a second fleet beside it. */
async function startFleet(t: TestContext) {
  const folder = await temporaryFolder(t)
  const [fleet, code, other] = await Promise.all(
    ['fleet', 'code', 'other'].map((name) => createRepository(folder, name)),
  )
  assert.ok(fleet !== undefined && code !== undefined && other !== undefined)
  await code.push({'deploy/a.yaml': configMap('code')})
  await fleet.push({
    'drawbridge.yaml':
      cluster('dev') +
      app('own', '{source: {path: own}, clusters: [dev]}') +
      app('code', `{source: {repository: "${code.url}", ref: main, path: deploy}, clusters: [dev]}`),
    'own/a.yaml': configMap('own'),
  })
  await other.push({
    'drawbridge.yaml': cluster('prod') + app('other', '{source: {path: app}, clusters: [prod]}'),
    'app/a.yaml': configMap('other'),
  })
  const bridge = new RenderBridge(folder, await renderPool(), [{url: fleet.url}, {url: other.url, ref: 'main'}], {})
  await bridge.publish((await bridge.sweep()).requests)
  assert.deepEqual((await bridge.sweep()).requests, [])
  const watched = watch(bridge)
  return {bridge, fleet, code, other, watched}
}

const allHeads = ['resolve code main', 'resolve fleet HEAD', 'resolve other main']

test('a sweep that finds all as it was compares heads and tags, and opens nothing', async (t) => {
  const {bridge, watched} = await startFleet(t)
  const {requests, outcomes} = await bridge.sweep()
  assert.deepEqual([requests, outcomes], [[], []])
  assert.deepEqual(watched.take(), allHeads)
})

test('what another declaration publishes in the cluster is no reason to open this one', async (t) => {
  const {bridge, other, watched} = await startFleet(t)
  await other.push({'drawbridge.yaml': cluster('dev') + app('other', '{source: {path: app}, clusters: [dev]}')})
  await bridge.publish((await bridge.push(other.url)).requests)
  watched.take()
  await bridge.sweep()
  assert.ok(!watched.take().includes('fetch fleet'))
})

const losses: [string, (bridge: RenderBridge) => void][] = [
  ['is gone', (bridge) => bridge.objects.delete(keys.desired('dev'))],
  ['cannot be read', (bridge) => bridge.objects.set(keys.desired('dev'), {bytes: Buffer.from('{'), etag: 'broken'})],
]

for (const [what, lose] of losses) {
  test(`a sweep renders anew where the desired state ${what}`, async (t) => {
    const {bridge} = await startFleet(t)
    lose(bridge)
    const {requests} = await bridge.sweep()
    assert.deepEqual(
      requests.flatMap(({apps}) => apps.map((entry) => entry.outcome === 'ready' && entry.app.name)),
      ['code', 'own'],
    )
  })
}

test('a sweep renders anew where the store was rolled back', async (t) => {
  const {bridge, fleet} = await startFleet(t)
  const before = bridge.objects.get(keys.desired('dev')) ?? assert.fail()
  await fleet.push({'own/a.yaml': configMap('own', 'new')})
  const {requests} = await bridge.push(fleet.url)
  await bridge.publish(requests)
  await bridge.sweep()
  bridge.objects.set(keys.desired('dev'), before)
  const again = await bridge.sweep()
  const bundles = (from: typeof requests) =>
    from.flatMap(({apps}) => apps.map((entry) => entry.outcome === 'ready' && entry.app.bundle.digest))
  assert.deepEqual(bundles(again.requests), bundles(requests))
})

test('a sweep that could not be published is looked at again', async (t) => {
  const {bridge, fleet} = await startFleet(t)
  await fleet.push({'own/a.yaml': configMap('own', 'new')})
  for (let round = 0; round < 2; round++) assert.equal((await bridge.sweep()).requests.length, 1)
})

test('where one source moved, its tree alone is opened', async (t) => {
  const {bridge, code, watched} = await startFleet(t)
  await code.push({'deploy/a.yaml': configMap('code', 'new')})
  const {requests} = await bridge.push(code.url)
  assert.deepEqual(
    requests.flatMap(({apps}) => apps.map((entry) => entry.outcome === 'ready' && entry.app.name)),
    ['code'],
  )
  assert.deepEqual(
    watched.take().filter((line) => line.startsWith('fetch')),
    ['fetch code'],
  )
})

test('a source that is away for a while is looked at again', async (t) => {
  const {bridge, code} = await startFleet(t)
  const {git} = bridge.ports
  bridge.ports.git = {
    ...git,
    resolveRef: async (url, ref) => {
      if (url === code.url) throw new SourceError('UNAVAILABLE', 'down')
      return await git.resolveRef(url, ref)
    },
  }
  const {findings} = await bridge.sweep()
  assert.deepEqual(
    findings.map(({code: word}) => word),
    ['UNAVAILABLE'],
  )
  bridge.ports.git = git
  const {outcomes} = await bridge.sweep()
  assert.deepEqual(
    outcomes.map(({findings: none}) => none),
    [[]],
  )
})

test('a push that arrives again opens nothing, and is answered', async (t) => {
  const {bridge, fleet, watched} = await startFleet(t)
  const {requests, outcomes} = await bridge.push(fleet.url)
  assert.deepEqual([requests, outcomes.length], [[], 1])
  assert.ok(watched.take().every((line) => line.startsWith('resolve')))
})

test('a push asks for the pushed ref and for the declarations that name it, and for no other', async (t) => {
  const {bridge, fleet, code, other, watched} = await startFleet(t)
  const pushTo = async (repository: TestRepository, branch = 'main') => {
    await repository.push({'readme.md': `${Math.random()}`}, branch)
    await bridge.push(repository.url, undefined, `refs/heads/${branch}`)
    return [...new Set(watched.take().filter((line) => line.startsWith('resolve')))]
  }
  assert.deepEqual(await pushTo(other), ['resolve other main'])
  assert.deepEqual(await pushTo(code, 'feature'), [])
  assert.deepEqual(await pushTo(code), ['resolve code main', 'resolve fleet HEAD'])
  assert.deepEqual(await pushTo(fleet), ['resolve code main', 'resolve fleet HEAD'])
})

test('a declaration that was not seen yet is looked at once', async (t) => {
  const {bridge, code} = await startFleet(t)
  const fresh = new RenderBridge(bridge.folder, await renderPool(), bridge.config.repositories, {})
  const watched = watch(fresh)
  await fresh.push(code.url, undefined, 'refs/heads/feature')
  assert.deepEqual(watched.take(), ['fetch fleet', 'fetch other', 'resolve fleet HEAD', 'resolve other main'])
  await fresh.push(code.url, undefined, 'refs/heads/feature')
  assert.deepEqual(watched.take(), [])
})

test('a declaration that comes to name a repository is found by its own push', async (t) => {
  const {bridge, code, other} = await startFleet(t)
  const from = `{source: {repository: "${code.url}", ref: main, path: deploy}, clusters: [prod]}`
  await other.push({'drawbridge.yaml': cluster('prod') + app('other', from)})
  await bridge.publish((await bridge.push(other.url)).requests)
  await code.push({'deploy/a.yaml': configMap('code', 'new')})
  const {requests} = await bridge.push(code.url)
  assert.deepEqual(requests.map(({cluster: name}) => name).sort(), ['dev', 'prod'])
})

test('a finding that could not be sent is told by the next sweep', async (t) => {
  const {bridge, fleet} = await startFleet(t)
  await fleet.push({'own/a.yaml': 'broken: ['})
  const {outcomes: queue} = bridge.ports
  bridge.ports.outcomes = {send: async () => Promise.reject(new QueueError('UNAVAILABLE', 'down'))}
  assert.deepEqual((await bridge.sweep()).outcomes, [])
  bridge.ports.outcomes = queue
  assert.equal((await bridge.sweep()).findings.length, 1)
  assert.deepEqual((await bridge.sweep()).findings, [])
})
