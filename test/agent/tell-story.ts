import type {TestContext} from 'node:test'
import {silentTelemetry} from '#agent/telemetry.ts'
import type {AppEvent, AppReport} from '#shared/model/cluster-report.ts'
import type {TestCluster} from './open-test-cluster.ts'
import type {TestApp} from './publish-state.ts'
import {annotateApp, createTestBridge, type TestAgent, type TestBridge, waitUntil} from './start-test-agent.ts'

/** One thing that was told: which revision of the story's, and about what. */
export interface Told {
  what: string
  words: string
}

/** What a step of a story may do to its only app, which is named as its namespace. */
export interface StoryActor {
  app: string
  cluster: TestCluster
  publish(app: TestApp): Promise<void>
  remove(): Promise<void>
  annotate(annotations: Record<string, string>): Promise<void>
}

/** One step: what is done, what is told last of it, and what the report then says of the app (undefined: nothing). */
export interface StoryStep {
  name: string
  act(actor: StoryActor): Promise<void>
  ends: AppEvent
  isOver(app: AppReport | undefined): boolean
}

/**
 * Tells a story to an agent that is followed by another one after the step `restartAfter`, or does not run during the step `missing`. Resolves with all that
 * was told, in order.
 */
export async function tellStory(
  t: TestContext,
  cluster: TestCluster,
  app: string,
  steps: readonly StoryStep[],
  {restartAfter, missing}: {restartAfter?: string; missing?: string} = {},
): Promise<Told[]> {
  const bridge = await createTestBridge(cluster, t)
  const agents: TestAgent[] = []
  let reconciled = 0
  const start = () => {
    reconciled = 0
    const telemetry = {...silentTelemetry, reconciled: () => void reconciled++}
    agents.push(bridge.startAgent({ports: {telemetry}}))
  }
  const stop = async () => agents.at(-1)?.stop()
  const actor: StoryActor = {
    app,
    cluster,
    publish: async (published) => void (await bridge.publish({[app]: published})),
    remove: async () => void (await bridge.publish({}, {removed: {[app]: 'Delete'}})),
    annotate: (annotations) => annotateApp(cluster.admin, bridge, app, annotations),
  }
  const report = () => bridge.report()
  start()
  for (const step of steps) {
    const from = report()?.events.length ?? 0
    const isOver = () => {
      const {events = [], apps = []} = report() ?? {}
      const isTold = events.slice(from).some(({event}) => event === step.ends)
      return isTold && step.isOver(apps.find(({name}) => name === app))
    }
    const words = () => `${step.name} to be over: ${JSON.stringify(report())}`
    if (step.name === missing) await stop()
    await step.act(actor)
    if (step.name === missing) start()
    await waitUntil(isOver, words)
    if (step.name !== restartAfter) continue
    const before = bridge.report()?.agent.instance
    await stop()
    start()
    // The report begins as the former agent left it: the next one has looked at the app, and says so itself.
    const isNext = () => reconciled > 0 && bridge.report()?.agent.instance !== before
    await waitUntil(() => isNext() && isOver(), words)
  }
  await stop()
  return describeEvents(bridge, app)
}

/** Events as they are in every run of a story: its revisions by number, its app by no name. */
function describeEvents(bridge: TestBridge, app: string): Told[] {
  const revisions: (string | undefined)[] = []
  return (bridge.report()?.events ?? []).map(({event, revision, code, object, message}) => {
    if (!revisions.includes(revision)) revisions.push(revision)
    const about = object === undefined ? undefined : `${object.kind}/${object.name}`
    const words = (message ?? '').replaceAll(app, 'APP').replaceAll(/sha256:[0-9a-f]+/g, 'DIGEST')
    const number = revision === undefined ? '-' : String(revisions.indexOf(revision) + 1)
    return {what: [event, number, code, about].filter(Boolean).join(' '), words}
  })
}
