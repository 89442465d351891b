import type {PresentApp} from '#shared/model/desired-state.ts'
import type {AgentContext} from './agent-context.ts'
import type {AppState} from './app-state.ts'
import {annotationsOf, type KubeObject} from './kube/kube-object.ts'

/** What annotations of an App object ask of the agent. */
export interface AppOrders {
  /** Seen, and not touched. */
  suspended: boolean
  /** Whatever the annotation that asks for a reconcile holds; another value asks again. */
  requestedAt?: string
  /** The revision, or the digest of the bundle, whose prune may exceed `sync.pruneLimit`. */
  prune?: string
}

const REQUEST_ANNOTATIONS = ['reconcile.drawbridge.dev/requestedAt', 'reconcile.fluxcd.io/requestedAt']
/** The annotation that has an app left alone. */
export const SUSPEND_ANNOTATION = 'drawbridge.dev/suspend'

/** The annotation that lets an app delete more than its limit. */
export const APPROVE_PRUNE_ANNOTATION = 'drawbridge.dev/approve-prune'

/** Reads what an App object's annotations ask for. Where both ask for a reconcile, the values count together. */
export function readOrders(object: KubeObject): AppOrders {
  const annotations = annotationsOf(object)
  const prune = annotations[APPROVE_PRUNE_ANNOTATION]
  const requests = REQUEST_ANNOTATIONS.flatMap((name) => annotations[name] ?? [])
  return {
    suspended: annotations[SUSPEND_ANNOTATION] === 'true',
    ...(requests.length === 0 ? {} : {requestedAt: requests.join(' ')}),
    ...(prune === undefined ? {} : {prune}),
  }
}

/** Tells whether somebody let what is published now of an app delete more than its limit; what is published next needs a new approval. */
export function isPruneApproved(ctx: Pick<AgentContext, 'orders'>, {name, revision, bundle}: PresentApp): boolean {
  const approved = ctx.orders.get(name)?.prune
  return approved !== undefined && [revision, bundle.digest].includes(approved)
}

/** Tells whether an app is to be left alone now. */
export function isSuspended(ctx: Pick<AgentContext, 'orders'>, app: Pick<AppState, 'name'>): boolean {
  return ctx.orders.get(app.name)?.suspended === true
}
