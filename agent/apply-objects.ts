import {setTimeout as sleep} from 'node:timers/promises'
import {describeError} from '#shared/model/drawbridge-error.ts'
import {formatRef, type ObjectRef} from '#shared/model/object-ref.ts'
import {type AgentContext, keepEntry} from './agent-context.ts'
import {isOutage} from './app-failure.ts'
import type {AppState, LoadedBundle} from './app-state.ts'
import {objectToSend} from './ignored-fields.ts'
import {isKubeError, KubeError} from './kube/kube-error.ts'
import {noteEnd} from './note-end.ts'
import type {PlannedObject} from './plan-objects.ts'
import {readerAs} from './read-as.ts'
import {sendApply} from './send-apply.ts'

export interface ApplyFailure {
  ref: ObjectRef
  message: string
  /** Nothing was said of the object: the API server, or what it asks, could not answer. */
  outage: boolean
  /** The same object will be refused again for its own content. */
  content: boolean
}

/** How long a kind whose definition was just established may still be unknown to the API server. */
const NEW_KIND_LIMIT_MS = 10_000
const MAX_CONFLICTS = 3

/**
 * Applies objects concurrently, one request each. An abort stops before the next object; what was begun is finished and noted in
 * the inventory. Failures are returned, and do not stop the others.
 */
export async function applyObjects(
  ctx: AgentContext,
  app: AppState,
  bundle: LoadedBundle,
  objects: PlannedObject[],
  signal: AbortSignal,
): Promise<ApplyFailure[]> {
  const failures: ApplyFailure[] = []
  await Promise.all(
    objects.map((object) =>
      ctx.ports.limit.run(async () => {
        if (signal.aborted || ctx.signal.aborted) return
        try {
          await applyObject(ctx, app, bundle, object)
        } catch (error) {
          if (isKubeError(error, 'ABORTED')) return
          failures.push(asFailure(object, error))
        }
      }, app.name),
    ),
  )
  return failures
}

/** Applies one object and notes in the inventory what the server made of it. */
export async function applyObject(
  ctx: AgentContext,
  app: AppState,
  bundle: LoadedBundle,
  object: PlannedObject,
): Promise<void> {
  const {type, key, ref, apiVersion, digest} = object
  if (type === undefined) throw new Error(unknownKind(object))
  // A heal of the same object may be under way; whoever comes last must have the last word.
  while (app.busy.has(key)) await sleep(5)
  if (ctx.signal.aborted) throw new KubeError('ABORTED', `apply ${formatRef(ref)}: stopped`)
  app.busy.add(key)
  const reader = readerAs(ctx, app, bundle.app)
  const former = ctx.apps.get(ctx.live.get(key)?.app ?? '')
  try {
    const answer = await sendPatiently(object, ctx.signal, async () =>
      sendApply(ctx, app, bundle, await objectToSend(reader, bundle.app, type, object), type),
    )
    // What was there before is not ours.
    if (answer === 'exists') keepEntry(ctx, app, key, {ref, version: apiVersion, applied: digest, fields: ''})
    else {
      const {fields, uid, appliedAt} = ctx.live.note(type, answer)
      keepEntry(ctx, app, key, {ref, version: apiVersion, applied: digest, fields, uid, appliedAt})
      // It may have been quicker than the answer.
      noteEnd(ctx, app, key)
      // It moved: who kept it for that gives it up now.
      if (former?.awaited.has(app.name) === true) ctx.reconcile(former, 'upkeep')
    }
  } finally {
    app.busy.delete(key)
  }
}

/** Says which kind the server lacks, for an object without a type. */
export function unknownKind({ref, apiVersion}: PlannedObject): string {
  return `${formatRef(ref)}: the cluster serves no ${ref.kind} in ${apiVersion}; install its CustomResourceDefinition, or correct apiVersion and kind`
}

/**
 * The API server goes on to answer 404 for a moment after a definition was established, and 409 to one of two clients that make
 * the same object at once.
 */
async function sendPatiently<T>(object: PlannedObject, signal: AbortSignal, send: () => Promise<T>): Promise<T> {
  const giveUpAt = performance.now() + NEW_KIND_LIMIT_MS
  for (let conflicts = 0; ; ) {
    try {
      return await send()
    } catch (error) {
      if (isKubeError(error, 'CONFLICT') && ++conflicts < MAX_CONFLICTS) continue
      if (!object.defined || !isKubeError(error, 'NOT_FOUND') || performance.now() > giveUpAt || signal.aborted)
        throw error
    }
    await sleep(50)
  }
}

/** What kept an object from being applied. */
export function asFailure(object: PlannedObject, error: unknown): ApplyFailure {
  const content = isKubeError(error, 'INVALID')
  return {ref: object.ref, message: explain(object, error), outage: isOutage(error), content}
}

/** Says what went wrong with an object; names it where the words do not. */
function explain(object: PlannedObject, error: unknown): string {
  const words = describeError(error)
  return isKubeError(error) || words.startsWith(formatRef(object.ref)) ? words : `${formatRef(object.ref)}: ${words}`
}
