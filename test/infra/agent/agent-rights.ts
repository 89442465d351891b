import assert from 'node:assert/strict'
import {z} from 'zod'
import type {AuditedRequest} from './audit-log.ts'
import type {InstallStage} from './install-stage.ts'

const roleSchema = z.object({
  rules: z.array(
    z.object({apiGroups: z.array(z.string()), resources: z.array(z.string()), verbs: z.array(z.string())}),
  ),
})

/** One verb on one resource, as `patch apps/status.drawbridge.dev`. */
const rightOf = (verb: string, resource: string, group: string) =>
  `${verb} ${resource}${group === '' ? '' : `.${group}`}`

/** The rights that the Role of the agent's own state grants. */
export async function grantedRights(stage: InstallStage, namespace: string): Promise<Set<string>> {
  const text = await stage.kubectl(['get', 'role/drawbridge-agent', '--namespace', namespace, '--output', 'json'])
  const {rules} = roleSchema.parse(JSON.parse(text))
  return new Set(
    rules.flatMap(({apiGroups, resources, verbs}) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => rightOf(verb, resource, group))),
      ),
    ),
  )
}

/** The rights in a namespace that requests made use of. An apply that creates needs two. */
export function usedRights(requests: readonly AuditedRequest[], namespace: string): Set<string> {
  const used = new Set<string>()
  for (const {verb, resource, status, impersonated} of requests) {
    if (resource === undefined || resource.namespace !== namespace || impersonated !== undefined) continue
    used.add(rightOf(verb, resource.name, resource.group))
    if (status === 201) used.add(rightOf('create', resource.name, resource.group))
  }
  return used
}

/** Fails where the API server refused any of the requests for want of a right. */
export function assertNoneRefused(requests: readonly AuditedRequest[]): void {
  assert.ok(requests.length > 0)
  assert.deepEqual(
    requests
      .filter(({status}) => status === 401 || status === 403)
      .map(({verb, path, user, impersonated}) => `${impersonated ?? user}: ${verb} ${path}`),
    [],
  )
}
