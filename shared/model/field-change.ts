import * as z from 'zod'

/** One field that differs, as it may be shown. `from` and `to` are left out where there is no value, and where it is `masked`. */
export const fieldChangeSchema = z.object({
  /** As `diffValues` writes it. */
  path: z.string(),
  difference: z.enum(['missing', 'extra', 'changed']),
  from: z.json().optional(),
  to: z.json().optional(),
  masked: z.literal(true).optional(),
})
export type FieldChange = z.infer<typeof fieldChangeSchema>
