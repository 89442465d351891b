import assert from 'node:assert/strict'
import {test} from 'node:test'
import fc from 'fast-check'
import {parseMessage} from '#shared/messages/message-error.ts'
import {isInRange, type NameRange} from '#shared/model/name-range.ts'
import {type PublishRange, publishRequestSchema} from '#shared/model/publish-request.ts'
import {createKillSwitch} from '#test/fakes/kill-switch.ts'
import {COMMIT_1, COMMIT_2, configMap, createPublishKit, MAIN, type PublishKit, REPOSITORY} from './publish-kit.ts'

/** `name:value` of each app that is present, in order. */
function presentApps(kit: PublishKit): string {
  const {apps} = kit.desired()
  return apps.flatMap((app) => (app.state === 'present' ? [app.name] : [])).join(' ')
}

const apps = (kit: PublishKit, names: string, commit = COMMIT_1, value = 'v') =>
  Promise.all(
    names
      .split(' ')
      .filter((name) => name !== '')
      .map((name) => kit.app(name, [configMap(value)], {commit})),
  )

interface Case {
  what: string
  range: NameRange
  /** What the declaration wants in the range. */
  wants: string
  /** What the cluster has then; it had `b d f` of this declaration and `c` of another. */
  has: string
}

const cases: Case[] = [
  {what: 'adds an app before all', range: {from: '', to: 'b'}, wants: 'a', has: 'a b c d f'},
  {what: 'adds an app behind all', range: {from: 'g'}, wants: 'g', has: 'b c d f g'},
  {what: 'adds an app at the beginning of the range', range: {from: 'e', to: 'f'}, wants: 'e', has: 'b c d e f'},
  {what: 'keeps what is listed', range: {from: 'd', to: 'f'}, wants: 'd', has: 'b c d f'},
  {what: 'removes an app at the beginning of the range', range: {from: 'd', to: 'f'}, wants: '', has: 'b c f'},
  {what: 'does not touch an app at the end of the range', range: {from: 'e', to: 'f'}, wants: '', has: 'b c d f'},
  {what: 'does not touch an app before the range', range: {from: 'b0', to: 'c'}, wants: '', has: 'b c d f'},
  {what: 'removes what is in the range and not listed', range: {from: 'a', to: 'e'}, wants: 'd', has: 'c d f'},
  {what: "leaves another declaration's app in the range alone", range: {from: 'c', to: 'd'}, wants: '', has: 'b c d f'},
  {what: 'renames an app within the range', range: {from: 'd', to: 'f'}, wants: 'e', has: 'b c e f'},
  {what: 'takes the new name of an app that leaves the range', range: {from: 'f'}, wants: 'g', has: 'b c d g'},
  {what: 'removes all in a range without borders', range: {from: ''}, wants: '', has: 'c'},
  {what: 'takes borders that are no names', range: {from: 'b-', to: 'd-'}, wants: '', has: 'b c f'},
]

for (const {what, range, wants, has} of cases) {
  test(`a range ${what}`, async () => {
    const kit = createPublishKit()
    const other = 'https://git.example/other'
    kit.git.moveRef(other, MAIN, COMMIT_1)
    await kit.deliver(kit.request([await kit.app('c', [configMap('v')], {repository: other})], {repository: other}))
    await kit.deliver(kit.range({from: ''}, await apps(kit, 'b d f')))
    const message = kit.range(range, await apps(kit, wants))
    assert.equal(await kit.deliver(message), 'done')
    assert.equal(presentApps(kit), has)
    const {version} = kit.desired()
    assert.equal(await kit.deliver(message, {receiveCount: 2}), 'done')
    assert.equal(kit.desired().version, version)
    assert.deepEqual(kit.deadLetters.sent, [])
  })
}

test('the whole statement of an older render is still taken', async () => {
  const kit = createPublishKit()
  await kit.deliver(kit.range({from: ''}, await apps(kit, 'a b c')))
  await kit.deliver(kit.request(await apps(kit, 'b')))
  assert.equal(presentApps(kit), 'b')
})

test('an older publish dead-letters a range instead of taking it for the whole', async () => {
  const kit = createPublishKit()
  const message = kit.range({from: 'a', to: 'b'}, await apps(kit, 'a'))
  assert.throws(() => parseMessage(publishRequestSchema, message), {code: 'MALFORMED', message: /kind/})
})

const malformed: [string, (message: PublishRange) => unknown, RegExp][] = [
  ['holds an app outside', (message) => ({...message, range: {from: 'b'}}), /apps must be within the range/],
  ['holds an app at its end', (message) => ({...message, range: {from: '', to: 'a'}}), /apps must be within the range/],
  ['is empty', (message) => ({...message, apps: [], range: {from: 'b', to: 'b'}}), /range\.to must be above/],
  ['ends before it begins', (message) => ({...message, apps: [], range: {from: 'b', to: 'a'}}), /range\.to/],
  ['has a border that no name sorts by', (message) => ({...message, range: {from: 'Ä'}}), /range\.from/],
  ['has no range', ({range: _, ...message}) => message, /range/],
]

for (const [what, spoil, reason] of malformed) {
  test(`a range that ${what} goes to the dead letters and changes nothing`, async () => {
    const kit = createPublishKit()
    assert.equal(await kit.deliver(spoil(kit.range({from: ''}, await apps(kit, 'a')))), 'done')
    assert.match(kit.deadLetters.sent[0]?.reason ?? '', reason)
    assert.equal(kit.desiredOrNone(), undefined)
  })
}

test('an app that did not render keeps what it has, in a range too', async () => {
  const kit = createPublishKit()
  await kit.deliver(kit.range({from: ''}, await apps(kit, 'a b')))
  await kit.deliver(kit.range({from: 'b'}, [{outcome: 'failed', name: 'b'}]))
  assert.equal(presentApps(kit), 'a b')
})

test('what is refused of a range is told as of that range', async () => {
  const kit = createPublishKit()
  const bad = await kit.app('bad', [configMap('c', 'kube-system')], {allow: {namespaces: ['web']}})
  await kit.deliver(kit.range({from: 'b', to: 'c'}, [bad]))
  const [outcome] = kit.sentOutcomes()
  assert.deepEqual(outcome?.range, {from: 'b', to: 'c'})
  assert.equal(outcome?.findings[0]?.code, 'NAMESPACE_NOT_ALLOWED')
})

test('ranges at once over one cluster lose nothing', async () => {
  const kit = createPublishKit()
  const names = [...'abcdefghij']
  const messages = await Promise.all(
    names.map(async (name, index) => {
      const to = names[index + 1]
      return kit.range({from: name, ...(to !== undefined && {to})}, await apps(kit, name))
    }),
  )
  let waiting = messages
  for (let round = 1; waiting.length > 0 && round < 10; round++) {
    const results = await Promise.all(waiting.map((message) => kit.deliver(message, {receiveCount: round})))
    waiting = waiting.filter((_, index) => results[index] === 'again')
  }
  assert.equal(presentApps(kit), names.join(' '))
})

/** Cuts all names at some places into ranges that cover them without a gap. */
function tile(cuts: readonly string[]): NameRange[] {
  const borders = ['', ...[...new Set(cuts)].filter((cut) => cut !== '').sort()]
  return borders.map((from, index) => {
    const to = borders[index + 1]
    return {from, ...(to !== undefined && {to})}
  })
}

const names = [...'abcdefgh']
const pushArbitrary = fc.record({
  apps: fc.subarray(names),
  cuts: fc.array(fc.constantFrom(...names, 'b0', 'd-x', 'zz'), {maxLength: 5}),
  /** Of which push each app's manifests are: equal values are the same manifests. */
  value: fc.nat(2),
})
const stepArbitrary = fc.record({
  message: fc.nat(200),
  receiveCount: fc.integer({min: 1, max: 3}),
  kill: fc.option(fc.record({at: fc.integer({min: 1, max: 5}), moment: fc.constantFrom('before', 'after')})),
})

test('however a sequence of pushes is cut, shuffled, repeated and killed, the last head is what comes of it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(pushArbitrary, {minLength: 1, maxLength: 4}),
      fc.array(fc.array(stepArbitrary, {maxLength: 6}), {minLength: 4, maxLength: 4}),
      fc.infiniteStream(fc.nat(1_000)),
      async (pushes, stepsOfPush, order) => {
        const kit = createPublishKit()
        const messages: PublishRange[] = []
        let last: PublishRange[] = []
        for (const [index, push] of pushes.entries()) {
          const commit = String(index).padStart(40, '0')
          kit.git.moveRef(REPOSITORY, MAIN, commit)
          const entries = await apps(kit, push.apps.join(' '), commit, `v${push.value}`)
          last = tile(push.cuts).map((range) =>
            kit.range(
              range,
              entries.filter(({app}) => isInRange(app.name, range)),
              {commit},
            ),
          )
          messages.push(...last)
          // Some of what was sent so far arrives, in any order, twice, or with the function killed on the way.
          for (const {message, receiveCount, kill} of stepsOfPush[index] ?? []) {
            const body = messages[message % messages.length] ?? assert.fail()
            const over =
              kill === null ? {} : {store: createKillSwitch(kill.at, kill.moment).guard(kit.store, ['create', 'swap'])}
            await kit.deliver(body, {receiveCount, over})
          }
        }
        const shuffled = messages
          .map((message) => ({message, at: order.next().value ?? 0}))
          .sort((a, b) => a.at - b.at)
          .map(({message}) => message)
        for (const message of shuffled) assert.equal(await kit.deliver(message, {receiveCount: 2}), 'done')

        const wanted = last.flatMap((message) =>
          message.apps.flatMap((entry) => (entry.outcome === 'ready' ? [[entry.app.name, entry.app.inputs]] : [])),
        )
        const present = (kit.desiredOrNone()?.apps ?? []).flatMap((app) =>
          app.state === 'present' ? [[app.name, app.inputs]] : [],
        )
        assert.deepEqual(present, wanted)
      },
    ),
    {numRuns: 120},
  )
})

test('a range of a commit that is not the head any more is dropped', async () => {
  const kit = createPublishKit()
  const message = kit.range({from: 'a', to: 'b'}, await apps(kit, 'a'))
  kit.git.moveRef(REPOSITORY, MAIN, COMMIT_2)
  assert.equal(await kit.deliver(message), 'done')
  assert.equal(kit.desiredOrNone(), undefined)
})
