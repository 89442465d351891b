import assert from 'node:assert/strict'
import {test} from 'node:test'
import fc from 'fast-check'
import type {PublishRequest} from '#shared/model/publish-request.ts'
import {createKillSwitch} from '#test/fakes/kill-switch.ts'
import {configMap, createPublishKit, MAIN, type PublishKit} from './publish-kit.ts'

const DECLARATIONS = ['https://git.example/a', 'https://git.example/b', 'https://git.example/c']

/** What may happen: a push that declares some apps; an old message that comes late or again; a run that is killed. */
type Step =
  | {kind: 'push'; declaration: number; apps: number[]}
  | {kind: 'late'; message: number; receiveCount: number}
  | {kind: 'killed'; message: number; at: number; moment: 'before' | 'after'}

const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('push' as const),
    declaration: fc.nat(DECLARATIONS.length - 1),
    apps: fc.uniqueArray(fc.nat(3), {maxLength: 3}),
  }),
  fc.record({kind: fc.constant('late' as const), message: fc.nat(20), receiveCount: fc.integer({min: 1, max: 3})}),
  fc.record({
    kind: fc.constant('killed' as const),
    message: fc.nat(20),
    at: fc.integer({min: 1, max: 6}),
    moment: fc.constantFrom('before' as const, 'after' as const),
  }),
)

interface Pushed {
  request: PublishRequest
  names: string[]
}

async function pushApps(kit: PublishKit, step: Extract<Step, {kind: 'push'}>, count: number): Promise<Pushed> {
  const repository = DECLARATIONS[step.declaration] ?? ''
  const commit = String(count).padStart(40, '0')
  kit.git.moveRef(repository, MAIN, commit)
  const names = step.apps.map((app) => `${'abc'[step.declaration]}-${app}`)
  // Every other push leaves the manifests of an app as they were.
  const entries = names.map((name) => kit.app(name, [configMap(`v${count >> 1}`)], {repository, commit}))
  return {request: kit.request(await Promise.all(entries), {repository, commit}), names}
}

function presentNames(kit: PublishKit): string[] {
  return (kit.desiredOrNone()?.apps ?? []).filter(({state}) => state === 'present').map(({name}) => name)
}

test('whatever comes late, twice or is killed, each declaration ends with its last push', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(stepArbitrary, {minLength: 1, maxLength: 15}), async (steps) => {
      const kit = createPublishKit()
      const pushes: Pushed[] = []
      const last = new Map<string, Pushed>()
      let version = 0
      for (const step of steps) {
        if (step.kind === 'push') {
          const pushed = await pushApps(kit, step, pushes.length)
          pushes.push(pushed)
          last.set(pushed.request.declaredIn.repository, pushed)
        } else if (pushes.length > 0) {
          const {request} = pushes[step.message % pushes.length] ?? pushes[0] ?? assert.fail()
          if (step.kind === 'late') {
            await kit.deliver(request, {receiveCount: step.receiveCount})
          } else {
            const killSwitch = createKillSwitch(step.at, step.moment)
            const store = killSwitch.guard(kit.ports.store, ['create', 'swap', 'put'])
            const clusters = killSwitch.guard(kit.ports.clusters, ['notify'])
            await kit.deliver(request, {over: {store, clusters}})
          }
        }
        const now = kit.desiredOrNone()?.version ?? 0
        assert.ok(now === version || now === version + 1, `version ${version} became ${now}`)
        version = now
      }
      for (const {request} of last.values()) assert.equal(await kit.deliver(request, {receiveCount: 2}), 'done')

      assert.deepEqual(presentNames(kit), [...last.values()].flatMap(({names}) => names).sort())
      for (const app of kit.desiredOrNone()?.apps ?? []) {
        if (app.state === 'removed') continue
        const wanted = last
          .get(app.declaredIn.repository)
          ?.request.apps.find((entry) => entry.outcome === 'ready' && entry.app.name === app.name)
        assert.equal(wanted?.outcome === 'ready' && wanted.app.bundle.digest, app.bundle.digest)
      }
      const published = kit.desiredOrNone()
      if (published !== undefined) {
        assert.ok(kit.notifications.some((body) => JSON.parse(body).version === published.version))
      }
    }),
    {numRuns: 150},
  )
})
