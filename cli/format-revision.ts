/** `main@sha1:<40 hex>` → `main@1a2b3c4`: short enough for a table. */
export function shortRevision(revision: string | undefined): string {
  return revision?.replace(/@sha1:([0-9a-f]{7})[0-9a-f]*$/, '@$1') ?? '-'
}
