import * as z from 'zod'

/** A place between names of apps: a name, the beginning of one, or '' for before all. Names are ASCII, so texts compare as their bytes do. */
export const nameBoundSchema = z
  .string()
  .regex(/^[-a-z0-9]{0,63}$/, 'must be the name of an app, or the beginning of one')

/** The names n of apps with `from` <= n < `to` in byte order; without `to` all from `from` on. Never empty. */
export const nameRangeSchema = z
  .object({from: nameBoundSchema, to: nameBoundSchema.optional()})
  .refine(({from, to}) => to === undefined || from < to, {path: ['to'], message: 'must be above `from`'})
export type NameRange = z.infer<typeof nameRangeSchema>

/** Tells whether a range holds a name; no range at all holds every name. */
export function isInRange(name: string, range: NameRange | undefined): boolean {
  return range === undefined || (name >= range.from && (range.to === undefined || name < range.to))
}
