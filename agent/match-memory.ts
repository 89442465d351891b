import {childObject, isJsonObject, type JsonObject} from '#shared/model/manifest.ts'
import {appType} from './app-definition.ts'
import {stateTypes} from './state-types.ts'

/** The kinds that the agent keeps its memory in. */
export const memoryTypes = [stateTypes.configMap, stateTypes.lease, appType] as const

/**
 * Tells whether a webhook, or what a policy is about, may be asked of writes of the agent's memory. `labels` are those of the agent's namespace.
 * What is not looked at here (operations, versions, labels of objects, expressions) counts as if it matched.
 */
export function matchesMemory(matcher: JsonObject, labels: JsonObject): boolean {
  const rules = [matcher.rules, matcher.resourceRules].flatMap((some) => (Array.isArray(some) ? some : []))
  const selector = childObject(matcher, 'namespaceSelector') ?? {}
  return rules.filter(isJsonObject).some(isOfMemory) && selects(selector, labels)
}

function isOfMemory({apiGroups, resources, scope}: JsonObject): boolean {
  if (scope === 'Cluster' || !Array.isArray(apiGroups) || !Array.isArray(resources)) return false
  return memoryTypes.some(
    ({group, plural}) =>
      apiGroups.some((one) => one === '*' || one === group) &&
      resources
        .map((one) => String(one).split('/'))
        .some(([resource, of = '*']) => {
          return (resource === '*' || resource === plural) && of === '*'
        }),
  )
}

function selects({matchLabels, matchExpressions}: JsonObject, labels: JsonObject): boolean {
  const equal = isJsonObject(matchLabels) ? Object.entries(matchLabels) : []
  const expressions = Array.isArray(matchExpressions) ? matchExpressions.filter(isJsonObject) : []
  return (
    equal.every(([label, value]) => labels[label] === value) &&
    expressions.every(({key, operator, values}) => {
      const value = labels[String(key)]
      const isListed = value !== undefined && Array.isArray(values) && values.includes(value)
      if (operator === 'In') return isListed
      if (operator === 'NotIn') return !isListed
      return operator === 'Exists' ? value !== undefined : operator !== 'DoesNotExist' || value === undefined
    })
  )
}
