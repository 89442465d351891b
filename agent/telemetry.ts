import type {ReportEvent} from '#shared/model/cluster-report.ts'
import type {AgentContext} from './agent-context.ts'

/** `standby`: another agent holds the Lease. `starting`: this one does, and does not know its cluster yet. */
export type AgentPhase = 'unknown' | 'standby' | 'starting' | 'leading'

/** Takes what is measured of the agent. Never throws, and never waits. */
export interface Telemetry {
  phase(phase: AgentPhase): void
  /** What the gauges read whenever they are asked for; undefined between two terms. */
  observe(ctx: AgentContext | undefined): void
  reconciled(outcome: 'done' | 'failed' | 'preempted', seconds: number): void
  told(event: ReportEvent): void
  /** How long a hint was on its way, in seconds. */
  hintReceived(lagSeconds: number): void
  /** Somebody keeps changing an object back. */
  fought(): void
}

/** Measures nothing. */
export const silentTelemetry: Telemetry = {
  phase: () => undefined,
  observe: () => undefined,
  reconciled: () => undefined,
  told: () => undefined,
  hintReceived: () => undefined,
  fought: () => undefined,
}
