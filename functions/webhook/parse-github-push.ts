import * as z from 'zod'
import {API_VERSION} from '#shared/model/api-version.ts'
import {commitSchema, refSchema} from '#shared/model/names.ts'
import {type PushEvent, pushEventSchema} from '#shared/model/push-event.ts'
import {parseRepositoryUrl} from '#shared/model/repository-url.ts'
import {startTrace} from '#shared/model/trace.ts'

/** Where GitHub's payload names no commit: the `before` of a created ref and the `after` of a deleted one. */
const NO_COMMIT = '0'.repeat(40)

/** What is looked at of GitHub's `push` payload. `pushed_at` is in seconds since 1970, to the second. */
const payloadSchema = z.object({
  ref: z.string(),
  before: commitSchema.optional(),
  after: commitSchema.optional(),
  repository: z.object({
    // A URL with a credential in it is none that can be read, and must get no further.
    clone_url: z
      .string()
      .max(2048)
      .refine((url) => parseRepositoryUrl(url).kind !== 'unsupported'),
    pushed_at: z.union([z.number(), z.string()]).nullish(),
  }),
})

export interface GithubDelivery {
  /** The decoded body, verified before. */
  text: string
  headers: Readonly<Record<string, string>>
  receivedAt: Date
}

/** Reads a `push` delivery; `'other-ref'` where what moved is neither a branch nor a tag. */
export function parseGithubPush({text, headers, receivedAt}: GithubDelivery): PushEvent | 'malformed' | 'other-ref' {
  const parsed = payloadSchema.safeParse(readPayload(text, headers['content-type']))
  if (!parsed.success) return 'malformed'
  const {ref, before, after, repository} = parsed.data
  if (!refSchema.safeParse(ref).success) return 'other-ref'
  const pushed = pushedAt(headers['x-drawbridge-pushed-at'], repository.pushed_at, receivedAt)
  const event = pushEventSchema.safeParse({
    apiVersion: API_VERSION,
    kind: 'PushEvent',
    provider: 'github',
    delivery: (headers['x-github-delivery'] ?? '').slice(0, 256),
    repository: repository.clone_url,
    ref,
    ...(before !== undefined && before !== NO_COMMIT && {before}),
    ...(after !== undefined && after !== NO_COMMIT && {after}),
    trace: startTrace({
      ...(pushed !== undefined && {pushed: pushed.toISOString()}),
      received: receivedAt.toISOString(),
    }),
  })
  return event.success ? event.data : 'malformed'
}

/** Reads the payload out of a JSON body or a form's `payload` field; undefined where it is not JSON. */
export function readPayload(text: string, contentType = 'application/json'): unknown {
  const isForm = contentType.toLowerCase().startsWith('application/x-www-form-urlencoded')
  try {
    return JSON.parse(isForm ? (new URLSearchParams(text).get('payload') ?? '') : text)
  } catch {
    return undefined
  }
}

// The local hook knows the moment to the millisecond; GitHub tells the second.
function pushedAt(header: string | undefined, pushed: number | string | null | undefined, now: Date): Date | undefined {
  const candidates = [
    header === undefined || !z.iso.datetime({offset: true}).safeParse(header).success ? undefined : Date.parse(header),
    typeof pushed === 'number' ? pushed * 1_000 : undefined,
  ]
  const time = candidates.find((at) => at !== undefined && Number.isFinite(at) && at > 0 && at <= now.getTime())
  return time === undefined ? undefined : new Date(time)
}
