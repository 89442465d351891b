import type {App} from '#shared/model/app.ts'
import {parseRepositoryUrl, sameRepository} from '#shared/model/repository-url.ts'
import {fullRef, shortRef} from '#shared/model/revision.ts'
import type {GitSource, SourceTree} from '#shared/ports/git-source.ts'
import {SourceError} from '#shared/ports/source-error.ts'
import {openTreeView, type TreeView} from './box/tree-view.ts'
import {RenderError} from './render-error.ts'

/** A ref, and the commit that it had. */
export interface Head {
  repository: string
  ref: string
  commit: string
}

/** What an app is rendered from. */
export interface AppSource {
  head: Head
  view: TreeView
}

/** Where an app's manifests are: what its spec says, or the declaration's own repository and ref. */
export function sourceOf(app: App, declaration: {repository: string; ref: string}): {repository: string; ref: string} {
  const {repository, ref} = app.spec.source
  return {
    repository: repository ?? declaration.repository,
    ref: ref === undefined ? declaration.ref : fullRef(ref),
  }
}

/** The heads and trees of apps' sources: each ref is resolved once, and its tree fetched once, when it is asked for. */
export interface Sources {
  /** The declaration's own tree. Rejects with `SourceError`. */
  own(): Promise<SourceTree>
  /** The head that an app is rendered from. Rejects as `open` does. */
  resolve(app: App): Promise<Head>
  /** Rejects with `RenderError` SOURCE_UNREADABLE for what only a change in git or in the settings can mend; with `SourceError` for what a retry can, or where the declaration's own tree can't be read. */
  open(app: App): Promise<AppSource>
  isOwn(app: App): boolean
  /** The heads that were resolved, but for the declaration's own. */
  resolved(): Promise<Head[]>
  close(): Promise<void>
}

/** Opens sources for the apps of one declaration. */
export function openSources(git: GitSource, declaration: Head): Sources {
  const heads = new Map<string, Promise<Head>>()
  const views = new Map<string, Promise<TreeView>>()

  const isOwn = (app: App): boolean => {
    const {repository, ref} = sourceOf(app, declaration)
    return ref === declaration.ref && sameRepository(repository, declaration.repository)
  }
  const resolveHead = async (repository: string, ref: string): Promise<Head> => {
    refuseLocal(repository, declaration.repository)
    const resolved = await git.resolveRef(repository, ref)
    if (resolved === 'absent') {
      const where = sameRepository(repository, declaration.repository) ? 'this repository' : `the source ${repository}`
      throw unreadable(`${where} has no ${shortRef(ref)}: correct spec.source.ref, or push it`)
    }
    return {repository, ref: resolved.ref, commit: resolved.commit}
  }
  const fetch = ({repository, ref, commit}: Head): Promise<TreeView> =>
    remember(views, `${repository} ${ref}`, async () => openTreeView(await git.fetchTree(repository, commit, ref)))
  const resolve = async (app: App): Promise<Head> => {
    if (isOwn(app)) return declaration
    const {repository, ref} = sourceOf(app, declaration)
    return asUnreadable(() => remember(heads, `${repository} ${ref}`, () => resolveHead(repository, ref)))
  }

  return {
    isOwn,
    resolve,
    own: async () => (await fetch(declaration)).tree,
    async open(app) {
      const head = await resolve(app)
      const view = isOwn(app) ? await fetch(head) : await asUnreadable(() => fetch(head))
      return {head, view}
    },
    async resolved() {
      const all = await Promise.allSettled(heads.values())
      return all.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    },
    async close() {
      const all = await Promise.allSettled(views.values())
      await Promise.all(all.map((result) => (result.status === 'fulfilled' ? result.value.tree.close() : undefined)))
    },
  }
}

function remember<T>(known: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const found = known.get(key) ?? make()
  known.set(key, found)
  return found
}

async function asUnreadable<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof SourceError && !isTransient(error)) {
      throw new RenderError('SOURCE_UNREADABLE', error.message, {}, {cause: error})
    }
    throw error
  }
}

/** Tells whether reading a repository is worth another try. */
export function isTransient(error: SourceError): boolean {
  return error.code === 'UNAVAILABLE' || error.code === 'COMMIT_GONE'
}

/** A path on this machine may be named only by who is on this machine. */
function refuseLocal(repository: string, declaredIn: string): void {
  if (parseRepositoryUrl(repository).kind !== 'local' || parseRepositoryUrl(declaredIn).kind === 'local') return
  throw unreadable('spec.source.repository is a local path, which only a local repository may name: use an https URL')
}

function unreadable(message: string): RenderError {
  return new RenderError('SOURCE_UNREADABLE', message)
}
