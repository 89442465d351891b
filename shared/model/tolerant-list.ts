import * as z from 'zod'

/**
 * A list whose items are judged one by one: what an older or newer version wrote into one is no reason to give up the others. `rescue` makes
 * of an item that does not fit what stands in its place; undefined: the whole list is refused by that item's problem.
 */
export function tolerantList<Item>(
  schema: z.ZodType<Item>,
  rescue: (value: unknown, problem: string) => Item | undefined,
): z.ZodType<Item[]> {
  const item = z.unknown().transform((value, context): Item => {
    const parsed = schema.safeParse(value)
    if (parsed.success) return parsed.data
    const rescued = rescue(value, describeProblem(parsed.error))
    if (rescued !== undefined) return rescued
    for (const {path, message} of parsed.error.issues) context.addIssue({code: 'custom', path, message})
    return z.NEVER
  })
  return z.array(item)
}

/** The first thing that does not fit: `sync.drift: Invalid option: …`. */
export function describeProblem({issues: [issue]}: z.core.$ZodError): string {
  return issue === undefined ? 'it is not understood' : `${issue.path.join('.')}: ${issue.message}`.replace(/^: /, '')
}
