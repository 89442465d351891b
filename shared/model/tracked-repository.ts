import * as z from 'zod'
import {parseRepositoryUrl, sameRepository} from './repository-url.ts'
import {fullRef} from './revision.ts'

const pattern = z
  .string()
  .max(512)
  .regex(
    /^!?[^!?[\]{}\s]+$/,
    'must be a pattern: "*" stands for any characters but "/", "**" for any, a leading "!" forbids; nothing else is special',
  )

/** Patterns of what may be named. One that is forbidden by any is forbidden; an empty list allows nothing. */
const patterns = z
  .array(pattern)
  .max(200)
  .refine(
    (list) => list.length === 0 || list.some((each) => !each.startsWith('!')),
    'only forbids, so nothing would be allowed: add what is allowed, such as "*"',
  )

/**
 * What a tracked repository may name, in the spirit of Argo CD's AppProject. Said by who configures the bridge, never by the repository
 * itself. An absent list allows everything.
 */
export const repositoryPolicySchema = z.strictObject({
  /** Names of clusters. */
  clusters: patterns.optional(),
  /** URLs of repositories that apps may be rendered from. The tracked repository itself always may. */
  sourceRepositories: patterns.optional(),
  /** Namespaces that objects may be in, be, or be put in. */
  namespaces: patterns.optional(),
  /** `Kind` or `Kind.group` of cluster-wide objects. Namespace is one of them. */
  clusterKinds: patterns.optional(),
  /** `namespace/name`. Where it is given, an app that names none is refused: it would be applied as the agent itself. */
  serviceAccounts: patterns.optional(),
})
export type RepositoryPolicy = z.infer<typeof repositoryPolicySchema>

const entrySchema = z.strictObject({
  url: z
    .string()
    .max(2048)
    .superRefine((url, context) => {
      const location = parseRepositoryUrl(url)
      if (location.kind === 'unsupported') context.addIssue({code: 'custom', message: `the URL ${location.reason}`})
      if (location.kind === 'local')
        context.addIssue({code: 'custom', message: 'the URL is a path, which is not there in Lambda'})
    }),
  ref: z.string().min(1).max(512).optional(),
  policy: repositoryPolicySchema.optional(),
})

/** The repositories that a deployed bridge tracks, each with its ref at most once. */
export const trackedRepositoriesSchema = z
  .array(entrySchema)
  .min(1)
  .superRefine((entries, context) => {
    for (const [index, entry] of entries.entries()) {
      const isSame = (other: TrackedRepository) =>
        sameRepository(other.url, entry.url) && fullRefOf(other) === fullRefOf(entry)
      if (entries.findIndex(isSame) < index)
        context.addIssue({code: 'custom', path: [index], message: 'names a repository and ref a second time'})
    }
  })

/** A repository whose drawbridge.yaml is followed. `ref` is a branch or full ref; the repository's HEAD when absent. */
export interface TrackedRepository {
  url: string
  ref?: string | undefined
  /** @default everything may be named */
  policy?: RepositoryPolicy | undefined
}

/** Why something may not be named. */
export interface PolicyRefusal {
  code:
    | 'CLUSTER_NOT_ALLOWED'
    | 'SOURCE_NOT_ALLOWED'
    | 'SERVICE_ACCOUNT_NOT_ALLOWED'
    | 'NAMESPACE_NOT_ALLOWED'
    | 'KIND_NOT_ALLOWED'
  message: string
}

function fullRefOf({ref}: TrackedRepository): string | undefined {
  return ref === undefined ? undefined : fullRef(ref)
}
