/** `<branch or tag>@sha1:<commit>`, the way Flux writes it: what people read in a status. */
export type Revision = string

/** Formats a revision: `refs/heads/main` and a commit become `main@sha1:<commit>`. */
export function formatRevision(ref: string, commit: string): Revision {
  return `${shortRef(ref)}@sha1:${commit}`
}

/** `refs/heads/main` → `main`, `refs/tags/v1` → `v1`. */
export function shortRef(ref: string): string {
  return ref.replace(/^refs\/(heads|tags)\//, '')
}

/** `main` → `refs/heads/main`; a full ref stays as it is. */
export function fullRef(ref: string): string {
  return ref.startsWith('refs/') ? ref : `refs/heads/${ref}`
}

/** The commit of a revision, or undefined where the text is none. */
export function revisionCommit(revision: Revision): string | undefined {
  return /@sha1:([0-9a-f]{40})$/.exec(revision)?.[1]
}
