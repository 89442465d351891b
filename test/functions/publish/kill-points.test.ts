import assert from 'node:assert/strict'
import {test} from 'node:test'
import {verifyAttestation} from '#shared/attest/verify-attestation.ts'
import {keys} from '#shared/model/keys.ts'
import {createKillSwitch, type KillSwitch} from '#test/fakes/kill-switch.ts'
import {configMap, createPublishKit, type PublishKit} from './publish-kit.ts'

function guardPorts({ports}: PublishKit, killSwitch: KillSwitch) {
  return {
    store: killSwitch.guard(ports.store, ['create', 'swap', 'put']),
    clusters: killSwitch.guard(ports.clusters, ['notify']),
    statusQueue: killSwitch.guard(ports.statusQueue, ['send']),
    outcomes: killSwitch.guard(ports.outcomes, ['send']),
  }
}

// Two apps to attest, one to bury and one to refuse: every kind of write there is.
async function prepare() {
  const kit = createPublishKit()
  await kit.deliver(kit.request([await kit.app('old', [configMap('a')])]))
  kit.notifications.length = 0
  const request = kit.request([
    await kit.app('api', [configMap('b')]),
    await kit.app('bad', [configMap('c', 'kube-system')], {allow: {namespaces: ['web']}}),
    await kit.app('web', [configMap('d', 'web')]),
  ])
  return {kit, request}
}

async function countWrites(): Promise<number> {
  const {kit, request} = await prepare()
  const killSwitch = createKillSwitch(Number.POSITIVE_INFINITY, 'before')
  assert.equal(await kit.deliver(request, {over: guardPorts(kit, killSwitch)}), 'done')
  return killSwitch.writes()
}

const writes = await countWrites()

test('has the write points that the table below counts on', () => {
  // Two attestations, the swap, the notification, the status hint, the outcome.
  assert.equal(writes, 6)
})

for (const moment of ['before', 'after'] as const) {
  for (let at = 1; at <= writes; at++) {
    test(`comes to the same end after being killed ${moment} write ${at} of ${writes} and delivered again`, async () => {
      const {kit, request} = await prepare()
      const killSwitch = createKillSwitch(at, moment)
      assert.equal(await kit.deliver(request, {over: guardPorts(kit, killSwitch)}), 'again')
      assert.equal(await kit.deliver(request, {receiveCount: 2}), 'done')

      const {version, apps} = kit.desired()
      assert.equal(version, 2)
      assert.deepEqual(
        apps.map(({name, state}) => [name, state]),
        [
          ['api', 'present'],
          ['old', 'removed'],
          ['web', 'present'],
        ],
      )
      for (const app of apps) {
        if (app.state === 'removed') continue
        const attestation = kit.store.objects.get(keys.attestation(app.bundle.digest))
        assert.ok(attestation !== undefined)
        const {trustRoot} = kit.signer
        verifyAttestation(attestation.bytes, {trustRoot, app: app.name, cluster: 'dev', bundle: app.bundle})
      }
      assert.ok(kit.notifications.some((body) => JSON.parse(body).version === 2))
      assert.ok(kit.statusQueue.sent.length >= 2)
      assert.ok(kit.sentOutcomes().some(({findings}) => findings[0]?.code === 'NAMESPACE_NOT_ALLOWED'))
    })
  }
}
