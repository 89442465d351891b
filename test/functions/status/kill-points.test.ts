import assert from 'node:assert/strict'
import {test} from 'node:test'
import {createKillSwitch, type KillSwitch} from '#test/fakes/kill-switch.ts'
import {createStatusKit, reportEvent, reportedApp, type StatusKit, wantedApp} from './status-kit.ts'

function guardPorts({ports}: StatusKit, killSwitch: KillSwitch) {
  return {
    store: killSwitch.guard(ports.store, ['create', 'swap', 'put']),
    commitStatuses: killSwitch.guard(ports.commitStatuses, ['setCommitStatus']),
  }
}

async function prepare(): Promise<StatusKit> {
  const kit = createStatusKit()
  const web = wantedApp('web')
  await kit.want(web)
  await kit.report([reportedApp(web)], {events: [reportEvent(1, 'applied'), reportEvent(2, 'healthy')]})
  return kit
}

async function countWrites(): Promise<number> {
  const kit = await prepare()
  const killSwitch = createKillSwitch(Number.POSITIVE_INFINITY, 'before')
  assert.equal(await kit.deliver(kit.hint(), {over: guardPorts(kit, killSwitch)}), 'done')
  return killSwitch.writes()
}

const writes = await countWrites()

test('has the write points that the table below counts on', () => {
  // Two history entries, the status, the commit status, the status again.
  assert.equal(writes, 5)
})

for (const moment of ['before', 'after'] as const) {
  for (let at = 1; at <= writes; at++) {
    test(`comes to the same end after being killed ${moment} write ${at} of ${writes} and delivered again`, async () => {
      const kit = await prepare()
      const killSwitch = createKillSwitch(at, moment)
      assert.equal(await kit.deliver(kit.hint(), {over: guardPorts(kit, killSwitch)}), 'again')
      assert.equal(await kit.deliver(kit.hint()), 'done')
      assert.deepEqual(
        (await kit.history()).map(({event}) => event.event),
        ['healthy', 'applied'],
      )
      assert.equal(kit.status().report?.apps[0]?.name, 'web')
      assert.deepEqual(Object.values(kit.status().commitStatuses), ['success'])
      assert.equal(kit.summaries().at(-1), 'drawbridge/dev 1 success')
      assert.ok(kit.shown.length <= 2)
    })
  }
}
