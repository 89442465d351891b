import type {SynthesisedStack} from './synthesise-bridge.ts'

interface Statement {
  effect: string
  actions: string[]
  resources: string[]
  conditions: Record<string, Record<string, string>>
}

/** What a role of a template may do, judged as IAM would for the few condition operators in use. */
export interface RoleRights {
  /** All actions that are allowed on anything, sorted. */
  actions: string[]
  /** All resources that anything is allowed on, sorted. */
  resources: string[]
  may(action: string, resource: string, context?: Record<string, string>): boolean
}

/** Reads the rights of the role whose logical id begins with `rolePrefix`. */
export function roleRights(stack: SynthesisedStack, rolePrefix: string): RoleRights {
  const statements = Object.values(stack.resources)
    .filter(({Type}) => Type === 'AWS::IAM::Policy')
    .map(({Properties}) => stack.resolve(Properties))
    .filter((policy) => namesRole(policy, rolePrefix))
    .flatMap(readStatements)
  if (statements.length === 0) throw new Error(`no policy of a role ${rolePrefix}…`)
  return {
    actions: [...new Set(statements.flatMap(({actions}) => actions))].sort(),
    resources: [...new Set(statements.flatMap(({resources}) => resources))].sort(),
    may: (action, resource, context = {}) => {
      const hits = statements.filter(
        (statement) =>
          statement.actions.some((pattern) => matches(pattern, action)) &&
          statement.resources.some((pattern) => matches(pattern, resource)) &&
          Object.entries(statement.conditions).every(([operator, keys]) => holds(operator, keys, context)),
      )
      return hits.some(({effect}) => effect === 'Allow') && !hits.some(({effect}) => effect === 'Deny')
    },
  }
}

function namesRole(policy: unknown, rolePrefix: string): boolean {
  return isRecord(policy) && listOf(policy.Roles).some((role) => role.startsWith(rolePrefix))
}

function readStatements(policy: unknown): Statement[] {
  if (!isRecord(policy) || !isRecord(policy.PolicyDocument)) throw new Error('not a policy')
  const {Statement: statements} = policy.PolicyDocument
  if (!Array.isArray(statements)) throw new Error('a policy without statements')
  return statements.map((statement) => ({
    effect: String(statement.Effect),
    actions: listOf(statement.Action),
    resources: listOf(statement.Resource),
    conditions: statement.Condition ?? {},
  }))
}

function holds(operator: string, keys: Record<string, string>, context: Record<string, string>): boolean {
  return Object.entries(keys).every(([key, expected]) => {
    const actual = context[key]
    switch (operator) {
      case 'Null':
        return (actual === undefined) === (expected === 'true')
      case 'StringEquals':
        return actual === expected
      case 'StringLikeIfExists':
        return actual === undefined || matches(expected, actual)
      default:
        throw new Error(`cannot judge the condition operator ${operator}`)
    }
  })
}

function matches(pattern: string, text: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`).test(text)
}

function listOf(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).map(String)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
