import type {Registry as AnyRegistry} from 'prom-client'
import Counter from 'prom-client/lib/counter.js'
import Gauge from 'prom-client/lib/gauge.js'
import Histogram from 'prom-client/lib/histogram.js'
import Registry from 'prom-client/lib/registry.js'
import type {Clock} from '#shared/ports/clock.ts'
import type {AgentContext} from '../agent-context.ts'
import {isSuspended} from '../app-orders.ts'
import type {AppState} from '../app-state.ts'
import type {AgentPhase, Telemetry} from '../telemetry.ts'

/** The agent's metrics in the text format of Prometheus, and what its probes are answered by. */
export interface AgentMetrics extends Telemetry {
  readonly contentType: string
  render(): Promise<string>
  currentPhase(): AgentPhase
  /** An operation on the cluster has ended: `ok`, or the code of its error. */
  operated(operation: 'apply' | 'dry-run' | 'delete', result: string): void
}

const RECONCILE_SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]
const LAG_SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** Creates the metrics in a registry of their own. Gauges are read from the agent's state when they are asked for, and cost nothing else. */
export function createMetrics({
  version,
  cluster,
  clock,
}: {
  version: string
  cluster: string
  clock: Clock
}): AgentMetrics {
  const registry = new Registry()
  const registers: AnyRegistry[] = [registry]
  let observed: AgentContext | undefined
  let phase: AgentPhase = 'unknown'
  const syncedAt = new Map<string, number>()

  const counter = <Label extends string = never>(name: string, help: string, labelNames: Label[] = []) =>
    new Counter<Label>({name: `drawbridge_${name}`, help, labelNames, registers})
  const gauge = (name: string, help: string, read: () => number | undefined, prefix = 'drawbridge_') =>
    new Gauge({
      name: `${prefix}${name}`,
      help,
      registers,
      collect() {
        const value = read()
        this.reset()
        if (value === undefined) this.remove()
        else this.set(value)
      },
    })
  const perApp = (name: string, help: string, read: (ctx: AgentContext, app: AppState) => number | undefined) =>
    new Gauge({
      name: `drawbridge_${name}`,
      help,
      labelNames: ['app'],
      registers,
      collect() {
        this.reset()
        if (observed === undefined) return
        for (const app of observed.apps.values()) {
          const value = app.target === undefined && app.inventory.size === 0 ? undefined : read(observed, app)
          if (value !== undefined) this.set({app: app.name}, value)
        }
      },
    })

  const durations = new Histogram({
    name: 'drawbridge_reconcile_duration_seconds',
    help: 'How long one reconcile of one app took, the wait for health not included.',
    labelNames: ['outcome'],
    buckets: RECONCILE_SECONDS,
    registers,
  })
  const lags = new Histogram({
    name: 'drawbridge_queue_receive_lag_seconds',
    help: 'From the publication of a desired state until its hint was received.',
    buckets: LAG_SECONDS,
    registers,
  })
  const operations = counter(
    'operations_total',
    'Operations on the cluster, by result: ok, or the code of the error.',
    ['operation', 'result'],
  )
  const driftFound = counter('drift_found_total', 'Objects that were found not to be as desired.')
  const driftHealed = counter('drift_healed_total', 'Objects that were put right.')
  const fights = counter(
    'fights_total',
    'Heals that paused because an object was changed back more than five times a minute.',
  )
  const refusals = counter('verify_failures_total', 'Desired states and bundles that were refused, by reason.', [
    'reason',
  ])

  const info = new Gauge({
    name: 'drawbridge_agent_info',
    help: 'Always 1; its labels say what runs.',
    labelNames: ['version', 'cluster'],
    registers,
  })
  info.set({version, cluster}, 1)
  gauge('agent_leading', '1 where this agent holds the Lease.', () =>
    Number(phase === 'leading' || phase === 'starting'),
  )
  gauge('desired_state_version', 'The version that was accepted last.', () => observed?.condition.version)
  gauge('desired_state_current', '1 where the desired state is valid now, 0 where it is stale or absent.', () =>
    observed === undefined ? undefined : Number(observed.condition.state === 'current'),
  )
  gauge('desired_state_age_seconds', 'Since the desired state was issued.', () =>
    observed?.desired === undefined ? undefined : secondsBetween(observed.desired.issuedAt, clock.now()),
  )
  perApp('objects_declared', 'Objects that the app declares.', (_, app) => app.bundle?.objects.size)
  perApp('objects_ready', 'Objects of the app that are Current.', (_, app) =>
    app.bundle === undefined ? undefined : app.bundle.objects.size - app.unhealthy.size,
  )
  perApp(
    'objects_drifted',
    'Objects of the app that are not as desired, and not healed yet.',
    (_, app) => app.drifted.size,
  )
  perApp('app_ready', '1 where the app is Ready.', (_, app) => Number(app.condition.ready === 'True'))
  perApp('app_suspended', '1 where the app is left alone by its annotation.', (ctx, app) =>
    Number(isSuspended(ctx, app)),
  )
  perApp('last_sync_timestamp_seconds', 'When the app was last applied or found healthy in this process.', (_, app) =>
    syncedAt.get(app.name),
  )
  gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss(), '')
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'User and system time.',
    registers,
    collect() {
      this.reset()
      this.inc(cpuSeconds())
    },
  })
  const startedAt = Date.now() / 1000 - process.uptime()
  gauge('process_start_time_seconds', 'When the process began, since the epoch.', () => startedAt, '')

  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    currentPhase: () => phase,
    operated: (operation, result) => operations.inc({operation, result}),
    phase(next) {
      phase = next
    },
    observe(ctx) {
      observed = ctx
    },
    reconciled: (outcome, seconds) => durations.observe({outcome}, seconds),
    hintReceived: (lagSeconds) => lags.observe(Math.max(0, lagSeconds)),
    fought: () => fights.inc(),
    told({event, app, at, code}) {
      if (event === 'drifted') driftFound.inc()
      if (event === 'healed') driftHealed.inc()
      if (event === 'refused') refusals.inc({reason: code ?? 'UNKNOWN'})
      if (app !== undefined && (event === 'applied' || event === 'healthy')) syncedAt.set(app, Date.parse(at) / 1000)
      if (app !== undefined && event === 'removed') syncedAt.delete(app)
    },
  }
}

function secondsBetween(from: string, to: Date): number {
  return (to.getTime() - Date.parse(from)) / 1000
}

function cpuSeconds(): number {
  const {user, system} = process.cpuUsage()
  return (user + system) / 1e6
}
