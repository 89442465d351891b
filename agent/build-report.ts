import {API_VERSION} from '#shared/model/api-version.ts'
import type {AppReport, ClusterReport} from '#shared/model/cluster-report.ts'
import type {AgentContext} from './agent-context.ts'
import {isSuspended} from './app-orders.ts'
import type {AppState} from './app-state.ts'
import type {RolledBack} from './healthy-store.ts'
import {shortenText} from './shorten-text.ts'
import {healthOf} from './track-health.ts'

const MAX_SHOWN = 20

/** What the report says of the agent itself. */
export interface AgentIdentity {
  version: string
  instance: string
}

/** Builds the report of the whole cluster as it is now. Apps are sorted by name; those that are gone are left out. */
export function buildReport(ctx: AgentContext, agent: AgentIdentity): ClusterReport {
  const apps = [...ctx.apps.values()]
    .filter((app) => app.target?.state === 'present' || app.inventory.size > 0)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  return {
    apiVersion: API_VERSION,
    kind: 'ClusterReport',
    cluster: ctx.config.cluster,
    at: ctx.ports.clock.now().toISOString(),
    agent: {...agent, ...(ctx.kubernetes === '' ? {} : {kubernetes: ctx.kubernetes})},
    desired: ctx.condition,
    apps: apps.map((app) => reportApp(ctx, app)),
    events: [...ctx.events],
  }
}

function reportApp(ctx: AgentContext, app: AppState): AppReport {
  const target = app.target?.state === 'present' ? app.target : undefined
  return {
    name: app.name,
    ...(app.revision === undefined ? {} : {revision: app.revision}),
    ...(target === undefined
      ? {}
      : {attemptedRevision: app.rolledBack?.revision ?? target.revision, bundle: target.bundle.digest}),
    ...(target === undefined
      ? {}
      : {source: {repository: target.source.repository, ref: target.source.ref, commit: target.source.commit}}),
    ...app.condition,
    ...(app.rolledBack === undefined ? {} : {rolledBack: rolledBackOf(app.rolledBack)}),
    health: healthOf(app),
    objects: app.bundle?.objects.size ?? app.inventory.size,
    unhealthy: [...app.unhealthy.values()]
      .slice(0, MAX_SHOWN)
      .map((unhealthy) => ({...unhealthy, reason: shortenText(unhealthy.reason)})),
    unhealthyTotal: app.unhealthy.size,
    drifted: [...app.drifted.values()].slice(0, MAX_SHOWN),
    driftedTotal: app.drifted.size,
    ...(isSuspended(ctx, app) ? {suspended: true} : {}),
    ...(app.trace === undefined ? {} : {trace: app.trace}),
  }
}

function rolledBackOf({revision, reason, since}: RolledBack): AppReport['rolledBack'] {
  return {revision, reason, since}
}
