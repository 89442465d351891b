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

/** Opens the trees of apps' sources, each ref once. */
export interface Sources {
  /** Rejects with `RenderError` SOURCE_UNREADABLE for what only a change in git or in the settings can mend; with `SourceError` for what a retry can. */
  open(app: App): Promise<AppSource>
  close(): Promise<void>
}

/** Opens sources for the apps of one declaration, whose own tree is there already (and is not closed here). */
export function openSources(git: GitSource, declaration: Head, tree: SourceTree): Sources {
  const opened = new Map<string, Promise<AppSource>>()
  const own = openTreeView(tree)

  const open = async (repository: string, ref: string): Promise<AppSource> => {
    refuseLocal(repository, declaration.repository)
    const resolved = await git.resolveRef(repository, ref)
    if (resolved === 'absent') {
      const where = sameRepository(repository, declaration.repository) ? 'this repository' : `the source ${repository}`
      throw unreadable(`${where} has no ${shortRef(ref)}: correct spec.source.ref, or push it`)
    }
    const {commit} = resolved
    const tree = await git.fetchTree(repository, commit, resolved.ref)
    return {head: {repository, ref: resolved.ref, commit}, view: openTreeView(tree)}
  }

  return {
    async open(app) {
      const {repository, ref} = sourceOf(app, declaration)
      if (ref === declaration.ref && sameRepository(repository, declaration.repository))
        return {head: declaration, view: own}
      const key = `${repository} ${ref}`
      const source = opened.get(key) ?? open(repository, ref)
      opened.set(key, source)
      try {
        return await source
      } catch (error) {
        if (error instanceof SourceError && !isTransient(error)) {
          throw new RenderError('SOURCE_UNREADABLE', error.message, {}, {cause: error})
        }
        throw error
      }
    },
    async close() {
      const all = await Promise.allSettled(opened.values())
      await Promise.all(
        all.map((result) => (result.status === 'fulfilled' ? result.value.view.tree.close() : undefined)),
      )
    },
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
