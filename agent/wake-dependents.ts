import type {AgentContext} from './agent-context.ts'
import type {AppState} from './app-state.ts'
import {requestReconcile} from './request-reconcile.ts'

/** Lets the apps that wait ask again whether this one is ready; also those that ask right now, and may have missed it. */
export function wakeDependents(ctx: AgentContext, app: AppState): void {
  for (const other of ctx.apps.values()) {
    if (other.dependent && other !== app && dependencyNames(other).includes(app.name))
      requestReconcile(ctx, other, 'now')
  }
}

/** The names of the apps that an app depends on. */
export function dependencyNames(app: AppState | undefined): string[] {
  return app?.target?.state === 'present' ? (app.target.dependsOn ?? []).map(({name}) => name) : []
}
