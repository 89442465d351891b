import assert from 'node:assert/strict'
import fc from 'fast-check'
import {KubeError} from '#agent/kube/kube-error.ts'
import {stateTypes} from '#agent/state-types.ts'
import type {DesiredState} from '#shared/model/desired-state.ts'
import {childObject} from '#shared/model/manifest.ts'
import {addTenant} from '../add-tenant.ts'
import type {TestCluster} from '../open-test-cluster.ts'
import {createTestBridge, type TestAgent, type TestBridge, types, waitUntil} from '../start-test-agent.ts'
import {createFleetModel, type FleetModel, type SharedObject, type Step} from './fleet-model.ts'

/** What was done, to be sure that it was something. */
export interface MovesOutcome {
  pushes: number
  rests: number
  kills: number
  /** Objects that another app owns than at the last rest, with the uid that they had. */
  moved: number
  /** Objects that were there at the last rest, and are not any more. */
  pruned: number
}

interface LiveObject {
  uid: string
  owner: string
  value: string
}

const REST_LIMIT_MS = 90_000
const weights: Record<Step['kind'], number> = {claim: 2, move: 5, revoke: 2, change: 1, remove: 1, mend: 2}
const steps = fc.record({
  kind: fc.oneof(
    ...Object.entries(weights).map(([kind, weight]) => ({arbitrary: fc.constant(kind as Step['kind']), weight})),
  ),
  app: fc.nat(2),
  object: fc.nat(7),
  /** Whether the next push comes only when all is at rest. */
  rests: fc.nat(3).map((value) => value > 0),
  /** After how many requests the agent is killed; most pushes are spared. */
  killAfter: fc.nat(200).map((value) => (value > 40 ? undefined : value)),
  killBefore: fc.boolean(),
})

const keyOf = ({namespace, name}: SharedObject): string => `${namespace}/${name}`

/**
 * Publishes random pushes over three apps of two tenants that claim, move, revoke and re-add shared objects, and kills the agent now and then.
 * At every rest nothing revoked exists, nothing desired is missing, and what was wanted all the time has the uid that it had.
 */
export async function runMoves(
  cluster: TestCluster,
  test: {after(run: () => Promise<void>): void},
  {seed, pushes, name}: {seed: number; pushes: number; name: string},
): Promise<MovesOutcome> {
  const spaces = {one: `${name}-one`, two: `${name}-two`, both: `${name}-both`}
  for (const tenant of [spaces.one, spaces.two]) {
    await addTenant(cluster, tenant, [{namespace: tenant}, {namespace: spaces.both}])
  }
  const model = createFleetModel(spaces)
  const bridge = await createTestBridge(cluster, test)
  const outcome: MovesOutcome = {pushes: 0, rests: 0, kills: 0, moved: 0, pruned: 0}
  let agent = bridge.startAgent()
  let atRest = new Map<string, LiveObject>()
  /** Wanted, by somebody who may have it, in all that was published since the last rest. */
  const wanted = new Set(model.objects)
  const history: string[] = []

  for (const step of fc.sample(steps, {seed, numRuns: pushes})) {
    model.perform(step)
    const {apps, removed} = model.published()
    const death = step.killAfter === undefined ? undefined : killed(bridge, step.killAfter, step.killBefore)
    if (death !== undefined) {
      await agent.stop()
      agent = death.agent
    }
    const desired = await bridge.publish(apps, {removed})
    outcome.pushes++
    history.push(JSON.stringify(step))
    for (const object of model.objects) if (model.ableToOwn(object).length === 0) wanted.delete(object)
    if (death !== undefined) {
      await waitUntil(
        async () => death.isDead() || (await faultOf(cluster, bridge, model, desired)) === undefined,
        'its death',
      )
      await agent.stop()
      await cluster.admin.delete(
        stateTypes.lease,
        {namespace: bridge.agentNamespace, name: 'drawbridge-agent'},
        {propagation: 'Background'},
      )
      outcome.kills++
      agent = bridge.startAgent()
    }
    if (!step.rests && outcome.pushes < pushes) continue
    let fault: string | undefined
    await waitUntil(
      async () => {
        fault = await faultOf(cluster, bridge, model, desired)
        return fault === undefined
      },
      () =>
        `seed ${seed}, push ${outcome.pushes}: ${fault}; the last pushes: ${history.slice(-6).join(' ')}\n${lastWords(agent)}`,
      REST_LIMIT_MS,
    )
    const now = await liveObjects(cluster, model)
    for (const object of model.objects) {
      const [before, after] = [atRest.get(keyOf(object)), now.get(keyOf(object))]
      if (before !== undefined && after === undefined) outcome.pruned++
      if (before === undefined || !wanted.has(object)) continue
      const where = `seed ${seed}, push ${outcome.pushes}, ${keyOf(object)}, of ${before.owner} before`
      assert.equal(after?.uid, before.uid, `${where}: ${history.slice(-6).join(' ')}`)
      if (after?.owner !== before.owner) outcome.moved++
    }
    outcome.rests++
    atRest = now
    for (const object of model.objects) if (model.ableToOwn(object).length > 0) wanted.add(object)
  }
  return outcome
}

function killed(bridge: TestBridge, after: number, before: boolean): {agent: TestAgent; isDead(): boolean} {
  let count = 0
  let dead = false
  const strike = (path: string) => {
    if (!path.includes('/leases') && count++ >= after) dead = true
    if (dead) throw new KubeError('ABORTED', 'the process is gone')
  }
  const agent = bridge.startAgent(
    before
      ? {onRequest: ({path}) => strike(path)}
      : {
          onRequest: () => {
            if (dead) throw new KubeError('ABORTED', 'the process is gone')
          },
          onAnswer: ({path}) => strike(path),
        },
  )
  return {agent, isDead: () => dead}
}

/** Says what is not as it must be once the agent is at rest with what was published. */
async function faultOf(
  cluster: TestCluster,
  bridge: TestBridge,
  model: FleetModel,
  desired: DesiredState,
): Promise<string | undefined> {
  const report = bridge.report()
  if (report?.desired.version !== desired.version) return `the report is of version ${report?.desired.version}`
  const reported = new Map(report.apps.map((app) => [app.name, app]))
  for (const app of desired.apps) {
    const known = reported.get(app.name)
    if (app.state === 'removed') continue
    if (known?.attemptedRevision !== app.revision || known.ready === 'Unknown') {
      return `app ${app.name} is ${known?.ready} at ${known?.attemptedRevision}: ${known?.message}`
    }
  }
  const live = await liveObjects(cluster, model)
  const contested = (app: string, object: SharedObject): boolean => {
    const able = model.ableToOwn(object)
    return able.length > 1 && able.some(({name}) => name === app) && live.get(keyOf(object))?.owner !== app
  }
  const isBlocked = (app: string): boolean => model.objects.some((object) => contested(app, object))
  for (const object of model.objects) {
    const key = keyOf(object)
    const found = live.get(key)
    const able = model.ableToOwn(object)
    if (found === undefined) {
      const taker = able.find(({name}) => !isBlocked(name))
      if (taker !== undefined) return `${key} is missing, which ${taker.name} declares`
      continue
    }
    const owner = model.apps.find(({name}) => name === found.owner)
    if (owner?.namespaces.has(object.namespace) !== true) return `${key} is of ${found.owner}, which may not write it`
    if (able.some(({name}) => name === owner.name)) {
      const isCurrent = found.value === model.versionOf(owner.name) || isBlocked(owner.name)
      if (!isCurrent) return `${key} is ${found.value}, and should be ${model.versionOf(owner.name)}`
      continue
    }
    const isHeldUp = model.isPresent(owner.name) && (isBlocked(owner.name) || model.overreaches(owner.name))
    if (isHeldUp) continue
    if (able.length === 0) return `${key} of ${owner.name} is revoked, and still there`
    const free = able.find(({name}) => !isBlocked(name))
    if (free !== undefined) return `${key} of ${owner.name} should have moved to ${free.name}`
    // It may move, once nothing keeps the other app from applying: until then it is told.
    const message = reported.get(owner.name)?.message ?? ''
    if (!message.includes(object.name) && !message.includes('declares it'))
      return `${key} stays and is not told: ${message}`
  }
  return undefined
}

async function liveObjects(cluster: TestCluster, model: FleetModel): Promise<Map<string, LiveObject>> {
  const namespaces = [...new Set(model.objects.map(({namespace}) => namespace))]
  const lists = await Promise.all(
    namespaces.map((namespace) =>
      cluster.admin.list(types.configMap, {detail: 'whole', namespace, labelSelector: 'drawbridge.dev/app'}),
    ),
  )
  return new Map(
    lists
      .flatMap(({items}) => items)
      .map((item) => [
        `${item.metadata.namespace}/${item.metadata.name}`,
        {
          uid: item.metadata.uid,
          owner: String(childObject(item.metadata, 'labels')?.['drawbridge.dev/app']),
          value: String(childObject(item, 'data')?.v),
        },
      ]),
  )
}

function lastWords({events, lines}: TestAgent): string {
  const told = events.slice(-12).map(({app, event, code, message}) => `${app} ${event} ${code ?? ''} ${message ?? ''}`)
  return [...told, ...lines.slice(-5)].join('\n')
}
