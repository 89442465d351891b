import {open, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {z} from 'zod'

/** A request that the API server answered, as its audit log has it. */
export interface AuditedRequest {
  /** As `patch`, `watch`. */
  verb: string
  path: string
  /** Who sent it. */
  user: string
  /** Whom it was sent as, where that is another. */
  impersonated?: string
  /** `RESOURCE`, `RESOURCE/SUBRESOURCE` and their group as RBAC names them; undefined for what is no resource. */
  resource?: {group: string; name: string; namespace: string; object: string}
  status: number
}

export interface AuditLog {
  /** Flags by which an API server writes it. */
  readonly flags: string[]
  /** All that users were answered whose names begin so, in the order of the answers; watches are there from their beginning. */
  read(userPrefix: string): Promise<AuditedRequest[]>
}

const entrySchema = z.object({
  verb: z.string(),
  requestURI: z.string(),
  user: z.object({username: z.string()}),
  impersonatedUser: z.object({username: z.string()}).optional(),
  objectRef: z
    .object({
      resource: z.string(),
      namespace: z.string().default(''),
      name: z.string().default(''),
      apiGroup: z.string().default(''),
      subresource: z.string().optional(),
    })
    .optional(),
  responseStatus: z.object({code: z.number()}),
})

// The log keeps no bodies: Secrets pass here too.
const policy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{level: 'Metadata'}],
}

/** Prepares an audit log in a folder. */
export async function createAuditLog(folder: string): Promise<AuditLog> {
  const policyFile = join(folder, 'audit-policy.json')
  const file = join(folder, 'audit.log')
  await writeFile(policyFile, JSON.stringify(policy))
  return {
    flags: [`--audit-policy-file=${policyFile}`, `--audit-log-path=${file}`],
    async read(userPrefix) {
      const found: AuditedRequest[] = []
      const handle = await open(file)
      for await (const line of handle.readLines()) {
        // The last line may be half written.
        if (!line.includes(userPrefix) || !line.endsWith('}')) continue
        const {verb, requestURI, user, impersonatedUser, objectRef, responseStatus} = entrySchema.parse(
          JSON.parse(line),
        )
        if (!user.username.startsWith(userPrefix)) continue
        found.push({
          verb,
          path: requestURI,
          user: user.username,
          ...(impersonatedUser === undefined ? {} : {impersonated: impersonatedUser.username}),
          ...(objectRef === undefined
            ? {}
            : {
                resource: {
                  group: objectRef.apiGroup,
                  name: [objectRef.resource, objectRef.subresource].filter(Boolean).join('/'),
                  namespace: objectRef.namespace,
                  object: objectRef.name,
                },
              }),
          status: responseStatus.code,
        })
      }
      return found
    },
  }
}
