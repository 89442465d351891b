import {mapBounded} from '#shared/async/map-bounded.ts'
import {digestOf} from '#shared/model/digest.ts'
import type {Finding} from '#shared/model/outcome.ts'
import type {GitSource} from '#shared/ports/git-source.ts'
import {SourceError} from '#shared/ports/source-error.ts'
import {declarationKey} from './declaration-key.ts'
import type {Head} from './open-sources.ts'
import type {DesiredHint} from './read-desired-hints.ts'
import type {RenderMemory} from './render-memory.ts'

/** A declaration at a commit of which everything is published and nothing was wrong: a look at the same again would find the same. */
export interface SettledHead {
  head: Head
  /** The other refs that its apps are rendered from, with the commits they had. */
  sources: readonly Head[]
  /** Digest of what clusters were told to run of it. */
  published: string
  /** Digest of the tags of all desired states then: while they are the same, `published` is not worth computing. */
  tags: string
  /** What stays to be told of it. */
  warnings: readonly Finding[]
}

const concurrentRefs = 8

/** Describes a head of which nothing is left to do. */
export function describeSettled(
  head: Head,
  sources: readonly Head[],
  desired: ReadonlyMap<string, DesiredHint>,
  warnings: readonly Finding[],
): SettledHead {
  return {head, sources, warnings, published: digestPublished(head, desired), tags: digestTags(desired)}
}

/**
 * Tells whether a head was settled the last time and all that it went by is as it was then: the commit, the heads of its other
 * sources, and what clusters are told to run of it, so that what the store lost is found. Where a ref can't be asked for, it is not.
 */
export async function isSettled(
  git: GitSource,
  memory: RenderMemory,
  head: Head,
  desired: ReadonlyMap<string, DesiredHint>,
): Promise<boolean> {
  const key = declarationKey(head)
  const settled = memory.settled.get(key)
  if (settled === undefined || settled.head.commit !== head.commit) return false
  const tags = digestTags(desired)
  if (settled.tags !== tags) {
    if (settled.published !== digestPublished(head, desired)) return false
    memory.settled.set(key, {...settled, tags})
  }
  const areSame = await mapBounded(settled.sources, concurrentRefs, (source) => isAt(git, source))
  return areSame.every(Boolean)
}

async function isAt(git: GitSource, {repository, ref, commit}: Head): Promise<boolean> {
  try {
    const now = await git.resolveRef(repository, ref)
    return now !== 'absent' && now.commit === commit
  } catch (error) {
    if (error instanceof SourceError) return false
    throw error
  }
}

function digestTags(desired: ReadonlyMap<string, DesiredHint>): string {
  return digestOf([...desired].map(([cluster, {etag}]) => `${cluster} ${etag}`).join('\n'))
}

function digestPublished(head: Head, desired: ReadonlyMap<string, DesiredHint>): string {
  const key = declarationKey(head)
  const lines: string[] = []
  for (const [cluster, {declared}] of desired) {
    for (const app of declared.get(key) ?? []) {
      if (app.state === 'present') lines.push(`${cluster} ${app.name} ${app.inputs}`)
    }
  }
  return digestOf(lines.sort().join('\n'))
}
