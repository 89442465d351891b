import type {Json, JsonObject} from '../../model/manifest.ts'
import type {ObjectRef} from '../../model/object-ref.ts'
import type {IgnoreDifferences} from '../../model/sync-options.ts'
import {type FieldPath, removePaths, takeFromLive} from './field-path.ts'
import {IgnoreRuleError} from './ignore-rule-error.ts'
import {foreignPaths, ownedPaths} from './owned-paths.ts'
import {parseJqPath, parsePointer, type SelectFields} from './parse-jq-path.ts'

/** What others may change in one object. */
export interface IgnoredFields {
  /** A copy without the ignored fields. `live` tells what other managers own. */
  without(object: JsonObject, live: JsonObject): JsonObject
  /**
   * What `manager` is to apply in place of `desired`: an ignored field that another manager owns is left to it, any other has its
   * live value, since leaving it out would delete it.
   */
  asLive(desired: JsonObject, live: JsonObject, manager: string): JsonObject
}

/** Finds what is ignored in an object; undefined where nothing is. */
export type IgnoreRules = (ref: ObjectRef) => IgnoredFields | undefined

interface CompiledRule {
  rule: IgnoreDifferences
  select: (object: Json, live: JsonObject) => FieldPath[]
}

/** Compiles an app's `ignoreDifferences`. Throws `IgnoreRuleError` for a path that cannot be read. */
export function compileIgnoreRules(rules: readonly IgnoreDifferences[] = []): IgnoreRules {
  const compiled = rules.map(compileRule)
  return (ref) => {
    const matching = compiled.filter(({rule}) => matches(rule, ref))
    if (matching.length === 0) return undefined
    const find = (object: Json, live: JsonObject) =>
      distinct(matching.flatMap(({select}) => select(object, live)).filter((path) => !isIdentity(path)))
    return {
      without: (object, live) => removePaths(object, find(object, live)),
      asLive(desired, live, manager) {
        const foreign = new Set(foreignPaths(live, manager).map((path) => JSON.stringify(path)))
        const isForeign = (path: FieldPath) => foreign.has(JSON.stringify(path))
        return keepIdentity(takeFromLive(desired, live, find(desired, live), isForeign), desired)
      },
    }
  }
}

function compileRule(rule: IgnoreDifferences): CompiledRule {
  const selects = [
    ...(rule.jsonPointers ?? []).map((text) => refuseIdentity(text, parsePointer(text))),
    ...(rule.jqPathExpressions ?? []).map((text) => refuseIdentity(text, parseJqPath(text))),
  ]
  const managers = new Set(rule.managedFieldsManagers)
  return {
    rule,
    select: (object, live) => [
      ...selects.flatMap((select) => select(object)),
      ...(managers.size === 0
        ? []
        : ownedPaths(object, (live.metadata as JsonObject | undefined)?.managedFields, managers)),
    ],
  }
}

const identity = {apiVersion: '', kind: '', metadata: {name: '', namespace: ''}}

/** Without what names it, an object is another one: one whose secrets nobody would know to hide. */
function isIdentity(path: FieldPath): boolean {
  const at = path.join('/')
  return at === 'apiVersion' || at === 'kind' || at === 'metadata/name' || at === 'metadata/namespace'
}

function refuseIdentity(text: string, select: SelectFields): SelectFields {
  const named = select(identity).find(isIdentity)
  if (named === undefined) return select
  throw new IgnoreRuleError(
    'BAD_PATH',
    `${JSON.stringify(text)} names /${named.join('/')}, by which an object is known: that cannot be left to others; name the fields that differ`,
  )
}

function matches({group = '', kind, name, namespace}: IgnoreDifferences, ref: ObjectRef): boolean {
  return (
    (group === '*' || group === ref.group) &&
    (kind === '*' || kind === ref.kind) &&
    (name === undefined || name === ref.name) &&
    (namespace === undefined || namespace === ref.namespace)
  )
}

/** A field within one that is ignored anyway would be looked for in vain. */
function distinct(paths: FieldPath[]): FieldPath[] {
  const byText = new Map(paths.map((path) => [JSON.stringify(path), path]))
  return [...byText.values()].filter(
    (path) => !path.some((_, length) => length > 0 && byText.has(JSON.stringify(path.slice(0, length)))),
  )
}

/** Whose and which object it is can never be left to others. */
function keepIdentity(object: JsonObject, {apiVersion, kind, metadata}: JsonObject): JsonObject {
  const {managedFields: _, uid: _uid, resourceVersion: _version, ...kept} = asObject(object.metadata)
  const wanted = asObject(metadata)
  const {name, namespace, labels} = wanted
  const marks = Object.entries(asObject(labels)).filter(([label]) => label.startsWith('drawbridge.dev/'))
  return {
    ...object,
    apiVersion: apiVersion ?? null,
    kind: kind ?? null,
    metadata: {
      ...kept,
      ...(name === undefined ? {} : {name}),
      ...(namespace === undefined ? {} : {namespace}),
      labels: {...asObject(kept.labels), ...Object.fromEntries(marks)},
    },
  }
}

function asObject(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
}
