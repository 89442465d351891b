import assert from 'node:assert/strict'
import {test} from 'node:test'
import {verifyDesiredState} from '#shared/attest/verify-desired-state.ts'
import {keys} from '#shared/model/keys.ts'
import type {PublishRequest} from '#shared/model/publish-request.ts'
import {configMap, createPublishKit, MAIN, type PublishKit} from './publish-kit.ts'

const declarations = Array.from({length: 5}, (_, index) => `https://git.example/team-${index}`)
const commitOf = (push: number): string => String(push).padStart(40, '0')

/** What a declaration's n-th push wants: an app of its own, which every push changes, and one that only even pushes have. */
async function pushOf(kit: PublishKit, index: number, push: number): Promise<PublishRequest> {
  const repository = declarations[index] ?? assert.fail()
  const commit = commitOf(push)
  const own = await kit.app(`own-${index}`, [configMap(`v${push}`)], {repository, commit})
  const even = await kit.app(`even-${index}`, [configMap('e')], {repository, commit})
  return kit.request(push % 2 === 0 ? [even, own] : [own], {repository, commit})
}

test('of twenty requests at once over one cluster, each declaration ends with its head and no version is skipped', async () => {
  const kit = createPublishKit()
  const versions: number[] = []
  const swap: typeof kit.store.swap = async (key, bytes, etag) => {
    // Others come between a read and its write, as they do over a network.
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 5))
    const swapped = await kit.store.swap(key, bytes, etag)
    if (swapped !== 'conflict' && key === keys.desired('dev')) {
      const {trustRoot} = kit.signer
      versions.push(verifyDesiredState(bytes, {trustRoot, cluster: 'dev', clock: kit.ports.clock}).desired.version)
    }
    return swapped
  }
  const over = {store: {...kit.store, swap}}
  const requests: PublishRequest[] = []
  for (let index = 0; index < declarations.length; index++) {
    for (let push = 1; push <= 4; push++) requests.push(await pushOf(kit, index, push))
    kit.git.moveRef(declarations[index] ?? assert.fail(), MAIN, commitOf(4))
  }
  let waiting = requests.toSorted(() => Math.random() - 0.5)
  for (let round = 1; waiting.length > 0; round++) {
    assert.ok(round <= 10, `${waiting.length} requests are still not done`)
    const results = await Promise.all(waiting.map((request) => kit.deliver(request, {over, receiveCount: round})))
    waiting = waiting.filter((_, index) => results[index] === 'again')
  }

  const {apps, version} = kit.desired()
  assert.deepEqual(
    versions,
    Array.from({length: version}, (_, index) => index + 1),
  )
  assert.ok(version >= 1 && version <= declarations.length)
  assert.deepEqual(
    apps.map((app) => app.state === 'present' && `${app.name} ${app.source.commit}`),
    ['even', 'own'].flatMap((kind) => declarations.map((_, index) => `${kind}-${index} ${commitOf(4)}`)),
  )
  assert.deepEqual(kit.deadLetters.sent, [])
})

test('of twenty declarations at once, none is lost', async () => {
  const kit = createPublishKit()
  const requests: PublishRequest[] = []
  for (let index = 0; index < 20; index++) {
    const repository = `https://git.example/one-${index}`
    kit.git.moveRef(repository, MAIN, commitOf(1))
    const entry = await kit.app(`app-${String(index).padStart(2, '0')}`, [configMap('a')], {
      repository,
      commit: commitOf(1),
    })
    requests.push(kit.request([entry], {repository, commit: commitOf(1)}))
  }
  let waiting = requests
  let rounds = 0
  for (; waiting.length > 0 && rounds < 10; rounds++) {
    const results = await Promise.all(waiting.map((request) => kit.deliver(request, {receiveCount: rounds + 1})))
    waiting = waiting.filter((_, index) => results[index] === 'again')
  }
  assert.deepEqual(waiting, [])
  assert.equal(kit.desired().version, 20)
  assert.equal(kit.desired().apps.filter(({state}) => state === 'present').length, 20)
})
