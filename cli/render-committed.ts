import {join, resolve} from 'node:path'
import {createRenderPool} from '#functions/render/box/render-pool.ts'
import {type RenderedCluster, renderForCluster} from '#functions/render/render-for-cluster.ts'
import {cacheDirOf} from '#infra/local/cache-dir.ts'
import {repositoryUrl} from '#infra/local/install-hook.ts'
import {findRenderers} from '#infra/local/renderers/find-renderers.ts'
import {createGitSource} from '#shared/git/create-git-source.ts'
import {formatRevision, fullRef} from '#shared/model/revision.ts'
import {systemClock} from '#shared/ports/clock.ts'
import {CliError, type CliIo} from './io.ts'

/** What to render: a repository, bare or not, and what of it. */
export interface CommittedOptions {
  repo: string
  ref: string
  /** The only one that is declared, where it is not named. */
  cluster?: string
  app?: string
}

/** Renders what is committed, for one cluster. Throws `CliError` where there is no such ref. */
export async function renderCommitted(
  io: CliIo,
  options: CommittedOptions,
): Promise<RenderedCluster & {revision: string}> {
  const cacheDir = cacheDirOf(io.env)
  const modules = await findRenderers({env: io.env, cacheDir, onProgress: (line) => io.err(`${line}\n`)})
  const repository = repositoryUrl(resolve(io.cwd, options.repo))
  const git = createGitSource({cacheDir: join(cacheDir, 'git'), clock: systemClock})
  const head = await resolveHead(git, repository, options.ref)
  if (head === undefined)
    throw new CliError(
      `there is no ${options.ref} in ${resolve(io.cwd, options.repo)}: name a branch, a tag or a full ref with --ref`,
      1,
    )
  const tree = await git.fetchTree(repository, head.commit, head.ref)
  const renderers = createRenderPool({modules, threads: 1})
  try {
    const rendered = await renderForCluster({
      tree,
      repository,
      ref: head.ref,
      ...(options.cluster !== undefined && {cluster: options.cluster}),
      ...(options.app !== undefined && {app: options.app}),
      renderers,
    })
    return {...rendered, revision: formatRevision(head.ref, head.commit)}
  } finally {
    await Promise.all([tree.close(), renderers.close()])
  }
}

async function resolveHead(
  git: ReturnType<typeof createGitSource>,
  repository: string,
  ref: string,
): Promise<{ref: string; commit: string} | undefined> {
  if (/^[0-9a-f]{40}$/.test(ref)) {
    const head = await git.resolveRef(repository, 'HEAD')
    return {ref: head === 'absent' ? 'refs/heads/main' : head.ref, commit: ref}
  }
  for (const candidate of ref === 'HEAD' ? ['HEAD'] : [fullRef(ref), `refs/tags/${ref}`]) {
    const head = await git.resolveRef(repository, candidate)
    if (head !== 'absent') return head
  }
  return undefined
}
