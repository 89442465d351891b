import * as z from 'zod'

/** A duration as Go writes it (`500ms`, `5s`, `1m30s`), at most a day. */
export const durationSchema = z
  .string()
  .regex(/^(\d+(\.\d+)?(ms|s|m|h))+$/, 'must be a duration such as 500ms, 5s or 1m30s')
  .refine((text) => durationMs(text) >= 1 && durationMs(text) <= 86_400_000, 'must be from 1ms to 24h')

const factors = {ms: 1, s: 1_000, m: 60_000, h: 3_600_000} as const

/** The milliseconds of a duration that `durationSchema` accepts. */
export function durationMs(text: string): number {
  let total = 0
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    total += Number(amount) * factors[unit as keyof typeof factors]
  }
  return total
}

/** How often, and after which pauses, an app that failed is tried again. */
export const retrySchema = z.strictObject({
  limit: z.int().min(-1).max(1_000).describe('Retries of one revision; -1 for no limit').optional(),
  backoff: z
    .strictObject({
      duration: durationSchema.describe('The first pause; 1s when absent').optional(),
      factor: z.number().min(1).max(10).describe('How much longer each pause is; 2 when absent').optional(),
      maxDuration: durationSchema.describe('The longest pause; 1m when absent').optional(),
    })
    .optional(),
})
export type RetryOptions = z.infer<typeof retrySchema>

/** Fields that others may change: neither reported as drift, nor healed, nor overwritten by an apply. */
export const ignoreDifferencesSchema = z.strictObject({
  group: z.string().optional().describe('API group, `*` for every one; the core group when absent'),
  kind: z.string().min(1).describe('Kind, or `*` for every kind'),
  name: z.string().min(1).optional(),
  namespace: z.string().min(1).optional(),
  jsonPointers: z.array(z.string().startsWith('/').max(1_024)).max(100).optional().describe('RFC 6901'),
  jqPathExpressions: z
    .array(z.string().min(1).max(1_024))
    .max(100)
    .optional()
    .describe('Paths such as .spec.template.spec.containers[] | select(.name == "web") | .image'),
  managedFieldsManagers: z
    .array(z.string().min(1))
    .max(100)
    .optional()
    .describe('What these field managers own in the live object'),
})
export type IgnoreDifferences = z.infer<typeof ignoreDifferencesSchema>

const expression = z.string().min(1).max(4_096)

/** How objects of a kind tell their health, in CEL over the object; the first that holds counts, in the order inProgress, failed, current. */
export const healthCheckExprSchema = z.strictObject({
  apiVersion: z.string().min(1).describe('Its group matters, not its version'),
  kind: z.string().min(1),
  inProgress: expression.optional(),
  failed: expression.optional(),
  current: expression,
})
export type HealthCheckExpr = z.infer<typeof healthCheckExprSchema>
