import {stringifyExact} from '#shared/bundle/exact-json.ts'
import type {PresentApp} from '#shared/model/desired-state.ts'
import {isJsonObject} from '#shared/model/manifest.ts'
import type {ObjectRef} from '#shared/model/object-ref.ts'
import {compileIgnoreRules, type IgnoredFields, type IgnoreRules} from '#shared/plan/ignore/compile-ignore-rules.ts'
import {IgnoreRuleError} from '#shared/plan/ignore/ignore-rule-error.ts'
import {AppFailure} from './app-failure.ts'
import type {KubeClient, ResourceType} from './kube/kube-client.ts'
import {FIELD_MANAGER} from './marks.ts'
import {type PlannedObject, parseBody} from './plan-objects.ts'

type Ignoring = {sync: Pick<PresentApp['sync'], 'ignoreDifferences'>}

const compiled = new WeakMap<object, IgnoreRules>()

/** What an app leaves to others in one of its objects; undefined where that is nothing. Throws `IgnoreRuleError`. */
export function ignoredFields(app: Ignoring, ref: ObjectRef): IgnoredFields | undefined {
  const rules = app.sync.ignoreDifferences
  if (rules === undefined || rules.length === 0) return undefined
  const known = compiled.get(rules) ?? compileIgnoreRules(rules)
  compiled.set(rules, known)
  return known(ref)
}

/** The field managers that an app leaves their fields to, whatever those are. */
export function sparedManagers({ignoreDifferences = []}: Ignoring['sync']): ReadonlySet<string> {
  return new Set(ignoreDifferences.flatMap(({managedFieldsManagers = []}) => managedFieldsManagers))
}

/** Throws `AppFailure` REFUSED where a rule of what an app leaves to others cannot be used, so that it is told rather than met in a heal. */
export function checkIgnoreRules({sync}: Ignoring): void {
  try {
    compileIgnoreRules(sync.ignoreDifferences)
  } catch (cause) {
    if (!(cause instanceof IgnoreRuleError)) throw cause
    throw new AppFailure('REFUSED', 'its ignoreDifferences cannot be used', {code: cause.code}, {cause})
  }
}

/**
 * What to send for an object: itself, without what its app leaves to others. It then names the resourceVersion that it was made of, so
 * that a change in between is a conflict rather than undone.
 */
export async function objectToSend(
  kube: Pick<KubeClient, 'get'>,
  app: Ignoring,
  type: ResourceType,
  object: PlannedObject,
): Promise<PlannedObject> {
  const ignored = ignoredFields(app, object.ref)
  if (ignored === undefined) return object
  const live = await kube.get(type, object.ref, 'whole')
  if (live === 'absent') return object
  const applied = ignored.asLive(parseBody(object), live, FIELD_MANAGER)
  const metadata = isJsonObject(applied.metadata) ? applied.metadata : {}
  const {resourceVersion} = live.metadata
  return {...object, body: stringifyExact({...applied, metadata: {...metadata, resourceVersion}})}
}
