import type {PresentApp} from '#shared/model/desired-state.ts'
import {revisionCommit} from '#shared/model/revision.ts'
import type {AgentContext} from './agent-context.ts'
import type {AppState} from './app-state.ts'
import {annotationsOf, type KubeObject} from './kube/kube-object.ts'

/** What annotations of an App object ask of the agent. */
export interface AppOrders {
  /** Seen, and not touched. */
  suspended: boolean
  /** What the annotation that suspends holds where that is neither true nor false. */
  misread?: string
  /** Whatever the annotation that asks for a reconcile holds; another value asks again. */
  requestedAt?: string
  /** The revision, in full or as `status` shortens it, its commit, or the digest of the bundle, whose prune may exceed `sync.pruneLimit`. */
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
  const suspend = annotations[SUSPEND_ANNOTATION]
  const word = suspend?.toLowerCase()
  return {
    suspended: word === 'true',
    ...(suspend === undefined || word === 'true' || word === 'false' ? {} : {misread: suspend}),
    ...(requests.length === 0 ? {} : {requestedAt: requests.join(' ')}),
    ...(prune === undefined ? {} : {prune}),
  }
}

/** Tells whether somebody let what is published now of an app delete more than its limit; what is published next needs a new approval. */
export function isPruneApproved(ctx: Pick<AgentContext, 'orders'>, {name, revision, bundle}: PresentApp): boolean {
  const approved = ctx.orders.get(name)?.prune
  if (approved === undefined) return false
  if (approved === revision || approved === bundle.digest) return true
  const [, ref, commit] = /^(?:(.+)@(?:sha1:)?)?([0-9a-f]{7,40})$/.exec(approved) ?? []
  if (commit === undefined || revisionCommit(revision)?.startsWith(commit) !== true) return false
  return ref === undefined || revision.startsWith(`${ref}@sha1:`)
}

/** Tells whether an app is to be left alone now. */
export function isSuspended(ctx: Pick<AgentContext, 'orders'>, app: Pick<AppState, 'name'>): boolean {
  return ctx.orders.get(app.name)?.suspended === true
}
