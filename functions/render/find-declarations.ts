import {describeError} from '#shared/model/drawbridge-error.ts'
import type {PushEvent} from '#shared/model/push-event.ts'
import {sameRepository} from '#shared/model/repository-url.ts'
import {fullRef} from '#shared/model/revision.ts'
import {SourceError} from '#shared/ports/source-error.ts'
import {declarationKey} from './declaration-key.ts'
import {type Head, sourceOf} from './open-sources.ts'
import {type Config, type ConfigResult, readConfig} from './read-config.ts'
import type {RenderMemory} from './render-memory.ts'
import type {RenderConfig, RenderPorts} from './render-ports.ts'
import {resolveDeclaration} from './resolve-declarations.ts'

type Tracked = RenderConfig['repositories'][number]

/**
 * The heads of the declarations that a push concerns: those at its ref, and those with an app whose source it is. A declaration of
 * which it is known that it names the ref nowhere is not asked for; should it have come to since, the push that did so renders it.
 * One that can't be read fails the push only where the push is to it; else `onSkip` is told why.
 */
export async function findDeclarations(
  ports: RenderPorts,
  {repositories}: RenderConfig,
  event: PushEvent,
  memory: RenderMemory,
  onSkip: (message: string) => void,
): Promise<Head[]> {
  const found = await Promise.all(
    repositories.map(async (tracked): Promise<Head[]> => {
      const isOwn = sameRepository(tracked.url, event.repository)
      const mayBePushed = isOwn && (tracked.ref === undefined || fullRef(tracked.ref) === event.ref)
      if (!mayBePushed && knownToName(memory, tracked, event) === false) return []
      try {
        const head = await resolveDeclaration(ports.git, tracked)
        if (head === 'absent') return []
        memory.heads.set(trackedKey(tracked), head)
        if (isPushed(head, event)) return [head]
        const read = memory.configs.get(head.commit) ?? (await fetchConfig(ports, head, memory))
        return read.ok && namesOf(read.config, head).has(declarationKey(event)) ? [head] : []
      } catch (error) {
        if (isOwn || !(error instanceof SourceError)) throw error
        onSkip(`whether ${tracked.url} is concerned is left to the sweep: ${describeError(error)}`)
        return []
      }
    }),
  )
  return found.flat()
}

/** Tells whether a push is to that head's ref. */
export function isPushed(head: {repository: string; ref: string}, event: PushEvent): boolean {
  return head.ref === event.ref && sameRepository(head.repository, event.repository)
}

/** What a tracked declaration is remembered by. */
export function trackedKey({url, ref = ''}: Tracked): string {
  return `${url} ${ref}`
}

/** Whether a declaration named the pushed ref when it was read last; undefined where that is not known. */
function knownToName(memory: RenderMemory, tracked: Tracked, event: PushEvent): boolean | undefined {
  const head = memory.heads.get(trackedKey(tracked))
  const read = head && memory.configs.get(head.commit)
  if (head === undefined || read === undefined) return undefined
  return read.ok && namesOf(read.config, head).has(declarationKey(event))
}

const named = new WeakMap<Config, {by: string; names: ReadonlySet<string>}>()

/** Every ref that a declaration's apps are rendered from. */
function namesOf(config: Config, head: Head): ReadonlySet<string> {
  const by = declarationKey(head)
  const known = named.get(config)
  if (known?.by === by) return known.names
  const sources = new Map(
    config.apps.map((app) => sourceOf(app, head)).map((source) => [`${source.repository} ${source.ref}`, source]),
  )
  const names = new Set([...sources.values()].map(declarationKey))
  named.set(config, {by, names})
  return names
}

async function fetchConfig(ports: RenderPorts, head: Head, {configs}: RenderMemory): Promise<ConfigResult> {
  const tree = await ports.git.fetchTree(head.repository, head.commit, head.ref)
  try {
    return await readConfig(ports.renderers, tree, configs)
  } finally {
    await tree.close()
  }
}
