import * as z from 'zod'

/** A variable that holds JSON of a schema; `what` names it in the message for text that is none. */
export function jsonOf<Output>(schema: z.ZodType<Output>, what: string) {
  return z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text)
      } catch {
        context.addIssue({code: 'custom', message: `must be ${what}`})
        return z.NEVER
      }
    })
    .pipe(schema)
}
