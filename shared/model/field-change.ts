import * as z from 'zod'
import type {Json} from './manifest.ts'

/** As `z.json()`, with the whole numbers that are a `bigint`. */
const jsonSchema: z.ZodType<Json> = z.lazy(() =>
  z.union([
    z.string(),
    z.number(),
    z.bigint(),
    z.boolean(),
    z.null(),
    z.array(jsonSchema),
    z.record(z.string(), jsonSchema),
  ]),
)

/** One field that differs, as it may be shown. `from` and `to` are left out where there is no value, and where it is `masked`. */
export const fieldChangeSchema = z.object({
  /** As `diffValues` writes it. */
  path: z.string(),
  difference: z.enum(['missing', 'extra', 'changed']),
  from: jsonSchema.optional(),
  to: jsonSchema.optional(),
  masked: z.literal(true).optional(),
})
export type FieldChange = z.infer<typeof fieldChangeSchema>
