import assert from 'node:assert/strict'
import {type TestContext, test} from 'node:test'
import {createPublishHandler} from '#functions/publish/create-handler.ts'
import type {PublishPorts} from '#functions/publish/ports.ts'
import {parseEnvelope} from '#shared/attest/envelope.ts'
import {parseDesiredState} from '#shared/attest/verify-desired-state.ts'
import {unpackBody} from '#shared/messages/pack-body.ts'
import {API_VERSION} from '#shared/model/api-version.ts'
import type {DesiredApp} from '#shared/model/desired-state.ts'
import type {JournalEvent} from '#shared/model/journal-event.ts'
import {keys} from '#shared/model/keys.ts'
import {type Outcome, outcomeSchema} from '#shared/model/outcome.ts'
import {publishRangeSchema} from '#shared/model/publish-request.ts'
import {continueRenderSchema} from '#shared/model/push-event.ts'
import {startTrace} from '#shared/model/trace.ts'
import {isDeep} from '#test/deep.ts'
import {createKillSwitch} from '#test/fakes/kill-switch.ts'
import {createMemoryObjectStore} from '#test/fakes/memory-object-store.ts'
import {createMemorySigner} from '#test/fakes/memory-signer.ts'
import {createRepository, RenderBridge, renderPool, type TestRepository, temporaryFolder} from './bridge-fixture.ts'
import {app, cluster, configMap} from './fleet-files.ts'

const MAX_RECEIVES = 8

/** A message in a queue, as SQS counts its deliveries. */
interface Held {
  body: string
  receives: number
}

/** Render and publish over queues and a store in memory, by a clock that runs only while bundles are stored. */
async function startWorld(t: TestContext, {timeBudgetSeconds}: {timeBudgetSeconds: number}) {
  const folder = await temporaryFolder(t)
  const repository = await createRepository(folder, 'fleet')
  const tools = await renderPool()
  const store = createMemoryObjectStore()
  const signer = createMemorySigner()
  const queues = {render: [] as Held[], publish: [] as Held[]}
  const outcomes: Outcome[] = []
  const journal: JournalEvent[] = []
  const deadLetters: string[] = []
  const counts = {render: 0, publish: 0, kills: 0}
  let now = Date.parse('2026-01-01T00:00:00.000Z')
  const clock = {now: () => new Date(now)}
  const sendTo = (queue: Held[]) => ({send: async (body: string) => void queue.push({body, receives: 0})})
  const shared = {
    store: {
      ...store,
      create: async (key: string, bytes: Uint8Array) => {
        if (key.startsWith('bundles/')) now += 20
        return await store.create(key, bytes)
      },
    },
    outcomes: {send: async (body: string) => void outcomes.push(outcomeSchema.parse(JSON.parse(body)))},
    deadLetters: {send: async (body: string) => void deadLetters.push(body)},
    clock,
    journal: {record: (event: JournalEvent) => void journal.push(event)},
  }
  const renderPorts = {...shared, publishQueue: sendTo(queues.publish), renderQueue: sendTo(queues.render)}
  const createBridge = (ports: Partial<typeof renderPorts> = {}) =>
    new RenderBridge(folder, tools, [{url: repository.url}], {...renderPorts, ...ports}, {timeBudgetSeconds})
  const whole = createBridge()
  const publishPorts: PublishPorts = {
    ...shared,
    git: whole.ports.git,
    signer,
    trustRoot: async () => signer.trustRoot,
    clusters: {notify: async () => 'sent'},
    statusQueue: {send: async () => undefined},
  }
  const tracking = {repositories: [{url: repository.url}]}
  const publish = createPublishHandler(publishPorts, tracking)

  /** Delivers a message; `killAt` is the write at which the function is killed. */
  const deliver = async (name: keyof typeof queues, index: number, killAt?: number): Promise<void> => {
    const queue = queues[name]
    const [message] = queue.splice(index, 1)
    if (message === undefined) return
    message.receives += 1
    counts[name] += 1
    assert.ok(message.receives <= MAX_RECEIVES, `a message was received ${message.receives} times`)
    const isAgain = await (name === 'render' ? runRender(message, killAt) : runPublish(message, killAt))
    if (isAgain) queue.push(message)
    if (isAgain && killAt !== undefined) counts.kills += 1
  }
  const runRender = async ({body}: Held, killAt: number | undefined): Promise<boolean> => {
    if (killAt === undefined) return (await whole.send(body)).again
    const killSwitch = createKillSwitch(killAt, 'after')
    const dying = createBridge({
      store: killSwitch.guard(renderPorts.store, ['create']),
      publishQueue: killSwitch.guard(renderPorts.publishQueue, ['send']),
      renderQueue: killSwitch.guard(renderPorts.renderQueue, ['send']),
      outcomes: killSwitch.guard(renderPorts.outcomes, ['send']),
    })
    return (await dying.send(body)).again
  }
  const runPublish = async ({body, receives}: Held, killAt: number | undefined): Promise<boolean> => {
    const attributes = {ApproximateReceiveCount: String(receives)}
    const event = {Records: [{messageId: 'm', body, attributes}]}
    if (killAt === undefined) return (await publish(event)).batchItemFailures.length > 0
    const killSwitch = createKillSwitch(killAt, 'after')
    const dying = createPublishHandler(
      {...publishPorts, store: killSwitch.guard(shared.store, ['create', 'swap'])},
      tracking,
    )
    return (await dying(event)).batchItemFailures.length > 0
  }

  return {
    repository,
    queues,
    outcomes,
    deadLetters,
    journal,
    counts,
    deliver,
    push: (commit: string) => queues.render.push({body: pushEvent(repository, commit), receives: 0}),
    desiredApps(): DesiredApp[] {
      const stored = store.objects.get(keys.desired('dev'))
      if (stored === undefined) return []
      return parseDesiredState(Buffer.from(parseEnvelope(stored.bytes).payload, 'base64')).apps
    },
  }
}

function pushEvent(repository: TestRepository, after: string): string {
  const place = {provider: 'github', delivery: 'd', repository: repository.url, ref: 'refs/heads/main', after}
  return JSON.stringify({apiVersion: API_VERSION, kind: 'PushEvent', ...place, trace: startTrace()})
}

/** A small generator of numbers in [0, 1) that gives the same ones for the same seed (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const nameOf = (index: number): string => `app-${String(index).padStart(5, '0')}`

const fleet = isDeep ? {apps: 10_000, seeds: [1, 2, 3]} : {apps: 900, seeds: [1, 2]}

for (const seed of fleet.seeds) {
  test(`${fleet.apps} apps are published over several deliveries, killed at random (seed ${seed})`, async (t) => {
    const random = createRandom(seed)
    const world = await startWorld(t, {timeBudgetSeconds: fleet.apps / 300})
    const names = Array.from({length: fleet.apps}, (_, index) => nameOf(index))
    const commit = await world.repository.push({
      'drawbridge.yaml': cluster('dev') + names.map((name) => app(name)).join(''),
      'app/a.yaml': configMap('a'),
    })
    world.push(commit)
    const {queues, counts} = world
    while (queues.render.length + queues.publish.length > 0) {
      const name = queues.publish.length > 0 && (queues.render.length === 0 || random() < 0.6) ? 'publish' : 'render'
      const index = Math.floor(random() * queues[name].length)
      // The last tries are left alone: whoever is killed each time ends in the dead letters, rightly.
      const mayDie = random() < 0.4 && (queues[name][index]?.receives ?? 0) < MAX_RECEIVES - 2
      await world.deliver(
        name,
        index,
        mayDie ? 1 + Math.floor(random() * (name === 'render' ? fleet.apps / 5 : 40)) : undefined,
      )
    }
    assert.deepEqual(
      world.desiredApps().map(({name, state}) => `${name} ${state}`),
      names.map((name) => `${name} present`),
    )
    assert.deepEqual(world.deadLetters, [])
    assert.ok(counts.render >= 6 && counts.kills > 3, JSON.stringify(counts))
    assert.deepEqual(
      world.outcomes.flatMap(({findings}) => findings),
      [],
    )
    assert.ok(world.outcomes.some(({range}) => range?.to === undefined))
  })
}

test('what is left when the time is over is a message of its own, and each goes on where the last one ended', async (t) => {
  const world = await startWorld(t, {timeBudgetSeconds: 1})
  const names = Array.from({length: 120}, (_, index) => nameOf(index))
  const commit = await world.repository.push({
    'drawbridge.yaml':
      cluster('dev') +
      names
        .map((name, index) => app(name, `{source: {path: ${index === 5 ? 'bad' : 'app'}}, clusters: [dev]}`))
        .join(''),
    'app/a.yaml': configMap('a'),
    'bad/a.yaml': 'kind: ConfigMap\n',
  })
  world.push(commit)
  await world.deliver('render', 0)
  const [rest] = world.queues.render.map(({body}) => continueRenderSchema.parse(JSON.parse(body)))
  assert.ok(rest !== undefined && rest.commit === commit && rest.from > nameOf(49), rest?.from)
  const sent = world.queues.publish.map(({body}) => publishRangeSchema.parse(unpackBody(body)))
  assert.deepEqual(
    sent.map(({range}) => range),
    [{from: '', to: rest.from}],
  )
  assert.deepEqual(
    world.outcomes.map(({range, findings}) => [range, findings.map(({app: name}) => name)]),
    [[{from: '', to: rest.from}, [nameOf(5)]]],
  )
  await world.deliver('render', 0)
  const [last] = world.queues.render.map(({body}) => continueRenderSchema.parse(JSON.parse(body)))
  assert.ok(last !== undefined && last.from > rest.from)
  await world.deliver('render', 0)
  assert.deepEqual(world.queues.render, [])
  assert.deepEqual(
    world.outcomes.slice(1).map(({range, findings}) => [range, findings]),
    [
      [{from: rest.from, to: last.from}, []],
      [{from: last.from}, []],
    ],
  )
})

test('the rest of a commit that is not the head any more is dropped', async (t) => {
  const world = await startWorld(t, {timeBudgetSeconds: 1})
  const names = Array.from({length: 80}, (_, index) => nameOf(index))
  const files = {'drawbridge.yaml': cluster('dev') + names.map((name) => app(name)).join('')}
  world.push(await world.repository.push({...files, 'app/a.yaml': configMap('a')}))
  await world.deliver('render', 0)
  assert.equal(world.queues.render.length, 1)
  await world.repository.push({'app/a.yaml': configMap('b')})
  const sent = world.queues.publish.length
  await world.deliver('render', 0)
  assert.deepEqual([world.queues.render.length, world.queues.publish.length], [0, sent])
  assert.equal(world.journal.at(-1)?.code, 'SUPERSEDED')
})

test('one app is rendered whatever the time is, so a run always comes further', async (t) => {
  const world = await startWorld(t, {timeBudgetSeconds: 0})
  const names = Array.from({length: 5}, (_, index) => nameOf(index))
  const files = {'drawbridge.yaml': cluster('dev') + names.map((name) => app(name)).join('')}
  world.push(await world.repository.push({...files, 'app/a.yaml': configMap('a')}))
  for (let run = 1; run <= names.length; run++) {
    await world.deliver('render', 0)
    assert.equal(world.queues.publish.length, run)
    assert.equal(world.queues.render.length, run < names.length ? 1 : 0)
  }
})
