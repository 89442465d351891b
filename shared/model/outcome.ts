import * as z from 'zod'
import {API_VERSION} from './api-version.ts'
import {nameRangeSchema} from './name-range.ts'
import {appNameSchema, clusterNameSchema, commitSchema, refSchema} from './names.ts'
import {traceSchema} from './trace.ts'

/** One thing that is wrong with a commit, in words for its author: what, where, why and what to do. */
export const findingSchema = z.object({
  code: z.string(),
  message: z.string().max(16_384),
  app: appNameSchema.optional(),
  cluster: clusterNameSchema.optional(),
  /** From the root of the repository. */
  file: z.string().optional(),
  line: z.int().positive().optional(),
})
export type Finding = z.infer<typeof findingSchema>

/**
 * How rendering or publishing a commit went: what render and publish send to the outcome queue, to which no cluster's
 * credentials may send. No findings means success.
 */
export const outcomeSchema = z.object({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('Outcome'),
  stage: z.enum(['render', 'publish']),
  repository: z.string().min(1),
  ref: refSchema,
  commit: commitSchema,
  /** Set where the outcome is of one cluster only. */
  cluster: clusterNameSchema.optional(),
  /** Set where the outcome is of the apps with these names only: it says nothing of other apps of the commit. */
  range: nameRangeSchema.optional(),
  findings: z.array(findingSchema).max(200),
  /** What keeps nothing from being published, and should be known. */
  warnings: z.array(findingSchema).max(200).optional(),
  trace: traceSchema,
})
export type Outcome = z.infer<typeof outcomeSchema>

/** A finding in one line, for people, the same everywhere: `YAML_INVALID app web: web/deploy.yaml:12: …`. */
export function formatFinding(finding: Finding): string {
  return `${finding.code} ${describeFinding(finding)}`
}

/** Where something is, as `FILE:LINE`; '' where no file is known. */
export function formatPlace({file, line}: Pick<Finding, 'file' | 'line'>): string {
  if (file === undefined) return ''
  return line === undefined ? file : `${file}:${line}`
}

/** The same without its code, for where that stands beside it. */
export function describeFinding({app, file, line, message}: Omit<Finding, 'code'>): string {
  const place = file === undefined ? '' : `${formatPlace({file, line})}: `
  // The words of a renderer often name the file themselves.
  const words = file !== undefined && message.startsWith(`${file}: `) ? message.slice(file.length + 2) : message
  const lines = words.split('\n').map((each) => each.trim())
  return `${app === undefined ? '' : `app ${app}: `}${place}${lines.filter((each) => each !== '').join(' ')}`
}
