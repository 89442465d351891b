import {createHash} from 'node:crypto'
import type {ReportEvent} from '#shared/model/cluster-report.ts'
import {describeError} from '#shared/model/drawbridge-error.ts'
import type {JsonObject} from '#shared/model/manifest.ts'
import {refKey} from '#shared/model/object-ref.ts'
import type {AgentContext} from './agent-context.ts'
import {appType} from './app-definition.ts'
import {apiVersionOf, type ResourceType} from './kube/kube-client.ts'
import {STATE_MANAGER} from './marks.ts'
import {reasonOf} from './reason-words.ts'
import {createEventThinner} from './thin-events.ts'

/** Makes Kubernetes Events of what is told of apps: in the agent's namespace, about the App object, with the object concerned as related. */
export interface EventRecorder {
  /** Never throws, and never waits: it is written soon. */
  record(event: ReportEvent): void
  /** Writes what is not written yet, and stops. */
  close(): Promise<void>
}

const eventType: ResourceType = {
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  namespaced: true,
}
const GATHER_MS = 1_000
const REVISION_ANNOTATION = 'drawbridge.dev/revision'
const SERIES_MS = 10 * 60_000
const MAX_SERIES = 500
const MAX_NOTE_BYTES = 1_000

interface Series {
  name: string
  body: JsonObject
  count: number
  at: number
}

const words: Record<ReportEvent['event'], {reason: string; action: string; type: 'Normal' | 'Warning'} | undefined> = {
  verified: undefined,
  applied: {reason: 'Applied', action: 'Apply', type: 'Normal'},
  healthy: {reason: 'ReconciliationSucceeded', action: 'Reconcile', type: 'Normal'},
  drifted: {reason: 'DriftDetected', action: 'Watch', type: 'Warning'},
  healed: {reason: 'DriftHealed', action: 'Heal', type: 'Normal'},
  pruned: {reason: 'Pruned', action: 'Prune', type: 'Normal'},
  refused: {reason: 'ArtifactRefused', action: 'Verify', type: 'Warning'},
  failed: {reason: 'ReconciliationFailed', action: 'Reconcile', type: 'Warning'},
  rolledback: {reason: 'RolledBack', action: 'Rollback', type: 'Warning'},
  suspended: {reason: 'Suspended', action: 'Suspend', type: 'Normal'},
  resumed: {reason: 'Resumed', action: 'Resume', type: 'Normal'},
  removed: {reason: 'Removed', action: 'Prune', type: 'Normal'},
}

/** Creates the recorder. What repeats within ten minutes becomes a series of one Event; of what is alike a minute has few. */
export function createEventRecorder(
  ctx: AgentContext,
  instance: string,
  uidOf: (app: string) => string | undefined,
): EventRecorder {
  const {namespace} = ctx.config
  const thinner = createEventThinner()
  let queued: ReportEvent[] = []
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()
  let closed = false
  let failing = false
  const series = new Map<string, Series>()

  function flush(): void {
    timer = undefined
    const batch = thinner.admit(joinOutcomes(queued), performance.now())
    queued = []
    if (closed) batch.push(...thinner.release())
    else if (thinner.holds()) timer = setTimeout(flush, GATHER_MS)
    writing = writing.then(() => write(batch))
  }

  async function write(batch: ReportEvent[]): Promise<void> {
    for (const event of batch) {
      try {
        await writeOne(event)
        failing = false
      } catch (error) {
        if (!failing) ctx.ports.log('info', `cannot record an Event: ${describeError(error)}`)
        failing = true
      }
    }
  }

  async function writeOne(event: ReportEvent): Promise<void> {
    const word = words[event.event]
    if (word === undefined) return
    const reason = event.event === 'failed' ? reasonOf(event.code) : word.reason
    const note = cutBytes(event.message ?? event.event)
    const object = event.object === undefined ? '' : refKey(event.object)
    const key = [event.app ?? '', event.revision ?? '', reason, object, note].join('\n')
    const now = performance.now()
    const known = series.get(key)
    if (known !== undefined && now - known.at < SERIES_MS) {
      known.count++
      known.at = now
      known.body = {...known.body, series: {count: known.count, lastObservedTime: microTime(event.at)}}
      await send(known)
      return
    }
    const name = `${event.app ?? 'drawbridge'}.${createHash('sha256').update(`${event.id}\n${instance}\n${key}`).digest('hex').slice(0, 16)}`
    const body: JsonObject = {
      apiVersion: apiVersionOf(eventType),
      kind: eventType.kind,
      metadata: {namespace, name, ...revisionOf(event)},
      eventTime: microTime(event.at),
      reportingController: 'drawbridge.dev/agent',
      reportingInstance: instance.slice(0, 128),
      action: word.action,
      reason,
      type: word.type,
      note,
      regarding: regardingOf(event),
      ...relatedOf(event),
    }
    const begun = {name, body, count: 1, at: now}
    series.delete(key)
    series.set(key, begun)
    const oldest = series.keys().next().value
    if (series.size > MAX_SERIES && oldest !== undefined) series.delete(oldest)
    await send(begun)
  }

  async function send({name, body}: Series): Promise<void> {
    await ctx.ports.kube.apply(eventType, {namespace, name}, JSON.stringify(body), {
      fieldManager: STATE_MANAGER,
      force: true,
      detail: 'metadata',
      lastTry: ctx.signal,
    })
  }

  function revisionOf({revision}: ReportEvent): JsonObject {
    return revision === undefined ? {} : {annotations: {[REVISION_ANNOTATION]: revision}}
  }

  function regardingOf({app}: ReportEvent): JsonObject {
    if (app === undefined) {
      return {apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name: 'drawbridge-agent'}
    }
    const uid = uidOf(app)
    const identity = {apiVersion: apiVersionOf(appType), kind: appType.kind, namespace, name: app}
    return uid === undefined ? identity : {...identity, uid}
  }

  function relatedOf({app, object}: ReportEvent): {related?: JsonObject} {
    if (object === undefined) return {}
    const version = ctx.apps.get(app ?? '')?.inventory.get(refKey(object))?.version
    const {kind, namespace: inNamespace, name} = object
    return {
      related: {
        kind,
        name,
        ...(version === undefined ? {} : {apiVersion: version}),
        ...(inNamespace === '' ? {} : {namespace: inNamespace}),
      },
    }
  }

  return {
    record(event) {
      if (closed || words[event.event] === undefined) return
      queued.push(event)
      timer ??= setTimeout(flush, GATHER_MS)
    },
    async close() {
      closed = true
      clearTimeout(timer)
      flush()
      await writing
    },
  }
}

/** Joins an apply and the health that follows at once. */
function joinOutcomes(events: readonly ReportEvent[]): ReportEvent[] {
  const kept: ReportEvent[] = []
  for (const event of events) {
    const before = kept.findIndex(
      ({event: name, app, revision}) =>
        name === 'applied' && event.event === 'healthy' && app === event.app && revision === event.revision,
    )
    if (before < 0) kept.push(event)
    else kept[before] = {...event, message: `${kept[before]?.message ?? ''}; ${event.message ?? ''}`}
  }
  return kept
}

function microTime(at: string): string {
  return at.replace(/(\.\d{3})Z$/, '$1000Z')
}

function cutBytes(text: string): string {
  const bytes = Buffer.from(text)
  return bytes.length <= MAX_NOTE_BYTES
    ? text
    : `${bytes
        .subarray(0, MAX_NOTE_BYTES)
        .toString('utf8')
        .replace(/\uFFFD$/u, '')}…`
}
