import {stringifyExact} from '#shared/bundle/exact-json.ts'
import type {ObjectRef} from '#shared/model/object-ref.ts'
import {refKey} from '#shared/model/object-ref.ts'
import type {AgentContext} from './agent-context.ts'
import {type AppState, currentBundle, impersonatedUser} from './app-state.ts'
import {isTrimmedLater} from './exempt-memory.ts'
import {apiVersionOf, type ResourceType} from './kube/kube-client.ts'
import {isImmutableError, isKubeError} from './kube/kube-error.ts'
import {APP_LABEL, FIELD_MANAGER} from './marks.ts'
import {type PlannedObject, parseBody} from './plan-objects.ts'

/**
 * Whether an app may take an object: the API server would let it; forbids it; refuses what it wants to make of it; or could not be asked.
 */
export type Proof = 'may' | 'forbidden' | 'refused' | 'unknown'

/**
 * Asks the API server, by a dry run as an app's own identity, whether the app may take an object. The dry run sends what the app declares,
 * or only its owner mark where that cannot be had. Writes nothing.
 */
export async function proveClaim(
  ctx: Pick<AgentContext, 'ports' | 'signal'>,
  app: AppState,
  ref: ObjectRef,
  type: ResourceType,
): Promise<Proof> {
  const {target} = app
  if (target?.state !== 'present') return 'forbidden'
  const planned = currentBundle(app)?.objects.get(refKey(ref))
  const sent = planned?.type
  const body = planned === undefined || sent === undefined ? markOf(app, ref, type) : planned.body
  try {
    await ctx.ports.kube.apply(sent ?? type, ref, body, {
      fieldManager: FIELD_MANAGER,
      force: true,
      dryRun: true,
      detail: 'metadata',
      lastTry: ctx.signal,
      ...impersonatedUser(target),
    })
    return 'may'
  } catch (error) {
    // Whose rights were asked was settled before what is sent was looked at.
    const declared = planned === undefined ? {} : parseBody(planned)
    if (await isTrimmedLater(ctx.ports.kube, ref, declared, error).catch(() => false)) return 'may'
    return judgeAnswer(error, planned)
  }
}

function judgeAnswer(error: unknown, planned: PlannedObject | undefined): Proof {
  if (!isKubeError(error)) throw error
  const {code, message} = error
  const isMadeAnew = planned?.rules.force === true || planned?.rules.replace === true
  if (isMadeAnew && isImmutableError(error)) return 'may'
  switch (code) {
    case 'FORBIDDEN':
      return 'forbidden'
    case 'CONFLICT':
      return 'may'
    case 'NOT_FOUND':
      // Its definition is applied with it.
      return planned?.defined === true ? 'unknown' : 'refused'
    case 'REJECTED':
      // A webhook that has side effects is not asked.
      return message.includes('does not support dry run') ? 'unknown' : 'refused'
    case 'INVALID':
    case 'UNKNOWN_KIND':
      return 'refused'
    default:
      return 'unknown'
  }
}

function markOf(app: AppState, {name, namespace}: ObjectRef, type: ResourceType): string {
  const metadata = {name, ...(namespace === '' ? {} : {namespace}), labels: {[APP_LABEL]: app.name}}
  return stringifyExact({apiVersion: apiVersionOf(type), kind: type.kind, metadata})
}
