import type {Health} from '../../model/cluster-report.ts'
import {childObject, isJsonObject, type Json, type JsonObject} from '../../model/manifest.ts'

/** An object's health in kstatus's words, with the reason in words that someone on call can act on; never empty. */
export interface ObjectHealth {
  health: Health
  reason: string
  /** When it comes to be another although the object stays the same; absent where it does not. */
  until?: Date
}

/** The health of one kind, from the live object; asked only where nothing general (deletion, generation, stalled) has decided already. */
export type JudgeKind = (object: JsonObject, now?: Date) => ObjectHealth

export interface Condition {
  type: string
  /** As the API conventions have it; other words (and JSON booleans) are brought to these, absence to `Unknown`. */
  status: 'True' | 'False' | 'Unknown'
  reason: string
  message: string
  /** `Error`, `Warning` or `Info` where a Cluster API object says so; '' elsewhere. */
  severity: string
  observedGeneration: number | undefined
}

const maxReasonLength = 500

export function current(reason: string): ObjectHealth {
  return {health: 'Current', reason: shorten(reason)}
}

export function inProgress(reason: string): ObjectHealth {
  return {health: 'InProgress', reason: shorten(reason)}
}

export function failed(reason: string): ObjectHealth {
  return {health: 'Failed', reason: shorten(reason)}
}

/** `status.conditions`, in their order; what is malformed is left out. */
export function readConditions(object: JsonObject): Condition[] {
  const conditions = childObject(object, 'status')?.conditions
  if (!Array.isArray(conditions)) return []
  return conditions.filter(isJsonObject).flatMap((condition) => {
    const type = readText(condition, 'type')
    return type === '' ? [] : [readCondition(condition, type)]
  })
}

/** The first condition of a type. */
export function findCondition(object: JsonObject, type: string): Condition | undefined {
  return readConditions(object).find((condition) => condition.type === type)
}

/** Says what a condition says: `Reason: message`, or what is there of it. */
export function describeCondition(condition: Condition): string {
  const said = [condition.reason, condition.message].filter((part) => part !== '')
  return said.length === 0 ? `condition ${condition.type} is ${condition.status}` : said.join(': ')
}

/** A number, as near as JavaScript's come to it; undefined where it is none. For counts and generations, which are far below 2^53. */
export function asNumber(value: Json | undefined): number | undefined {
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined
}

/** A number at a key, `otherwise` where there is none. */
export function readNumber(object: JsonObject | undefined, key: string, otherwise: number): number {
  return asNumber(object?.[key]) ?? otherwise
}

/** A text at a key, '' where there is none. */
export function readText(object: JsonObject | undefined, key: string): string {
  const value = object?.[key]
  return typeof value === 'string' ? value : ''
}

/** The objects of a list at a key. */
export function readList(object: JsonObject | undefined, key: string): JsonObject[] {
  const value = object?.[key]
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}

function readCondition(condition: JsonObject, type: string): Condition {
  return {
    type,
    status: readConditionStatus(condition.status),
    reason: readText(condition, 'reason'),
    message: readText(condition, 'message'),
    severity: readText(condition, 'severity'),
    observedGeneration: asNumber(condition.observedGeneration),
  }
}

function readConditionStatus(status: Json | undefined): Condition['status'] {
  const word = String(status).toLowerCase()
  return word === 'true' ? 'True' : word === 'false' ? 'False' : 'Unknown'
}

/** Brings a reason to one line of at most 500 characters. */
export function shorten(reason: string): string {
  const line = reason
    .slice(0, 4 * maxReasonLength)
    .replaceAll(/\s+/g, ' ')
    .trim()
  return line.length <= maxReasonLength ? line : `${line.slice(0, maxReasonLength - 1)}…`
}
