import {mkdir, mkdtemp, rm} from 'node:fs/promises'
import {join} from 'node:path'
import git from 'isomorphic-git'
import type {SourceTree} from '../ports/git-source.ts'
import {SourceError} from '../ports/source-error.ts'
import type {FolderCache} from './folder-cache.ts'
import {createGitHttpClient, type GitAccess, gitHttpLimits} from './git-http-client.ts'
import {nodeFs} from './node-fs.ts'
import {createPackCache} from './packed-object.ts'
import {isMissing, openTree} from './read-tree.ts'

/** The commit that a ref points to on a smart HTTP server, by the equivalent of `git ls-remote`. */
export async function resolveHttpRef(
  url: string,
  access: GitAccess,
  ref: string,
): Promise<{ref: string; commit: string} | 'absent'> {
  const refs = await git.listServerRefs({
    http: createGitHttpClient(access, gitHttpLimits.listTimeoutMs),
    url,
    prefix: ref,
    symrefs: true,
    peelTags: true,
    protocolVersion: 2,
  })
  const found = refs.find((candidate) => candidate.ref === ref)
  if (found === undefined) return 'absent'
  return {ref: found.target ?? found.ref, commit: found.peeled ?? found.oid}
}

/** Fetches one commit without its history into a folder of its own below `cacheDir`, which the tree's `close` removes. */
export async function fetchHttpTree(options: {
  url: string
  access: GitAccess
  commit: string
  cacheDir: string
  folders: FolderCache
}): Promise<SourceTree> {
  const {url, access, commit, cacheDir} = options
  await mkdir(cacheDir, {recursive: true})
  const gitdir = await mkdtemp(join(cacheDir, 'fetch-'))
  const release = () => rm(gitdir, {recursive: true, force: true})
  try {
    await git.init({fs: nodeFs, gitdir, bare: true})
    await git.addRemote({fs: nodeFs, gitdir, remote: 'origin', url})
    await git.fetch({
      fs: nodeFs,
      http: createGitHttpClient(access, gitHttpLimits.requestTimeoutMs),
      gitdir,
      url,
      ref: commit,
      depth: 1,
      singleBranch: true,
      tags: false,
    })
    return await openTree({gitdir, packs: createPackCache(), folders: options.folders}, commit, release)
  } catch (error) {
    await release()
    if (isMissing(error) || (error instanceof Error && /not our ref/.test(error.message))) {
      throw new SourceError('COMMIT_GONE', `commit ${commit} is not on the server any more`, {commit}, {cause: error})
    }
    throw error
  }
}
