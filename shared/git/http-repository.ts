import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import git from 'isomorphic-git'
import type {SourceTree} from '../ports/git-source.ts'
import {SourceError} from '../ports/source-error.ts'
import type {FolderCache} from './folder-cache.ts'
import {createGitHttpClient, type GitAccess, gitHttpLimits} from './git-http-client.ts'
import {nodeFs} from './node-fs.ts'
import {createPackCache} from './packed-object.ts'
import {isMissing, openTree} from './read-tree.ts'
import {storePack} from './store-pack.ts'

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

/**
 * Fetches one commit without its history into a folder of its own below `cacheDir`, which the tree's `close` removes. Rejects with
 * `SourceError` COMMIT_GONE, or REPOSITORY_TOO_LARGE.
 */
export async function fetchHttpTree(options: {
  url: string
  access: GitAccess
  commit: string
  cacheDir: string
  folders: FolderCache
}): Promise<SourceTree> {
  const {url, access, commit, cacheDir, folders} = options
  await mkdir(cacheDir, {recursive: true})
  const gitdir = await mkdtemp(join(cacheDir, 'fetch-'))
  const release = () => rm(gitdir, {recursive: true, force: true})
  try {
    const pack = await fetchPack(url, access, commit, gitdir)
    const {leftOut} = pack === undefined ? {leftOut: 0} : await storePack(gitdir, pack)
    return await openTree({gitdir, packs: createPackCache(), folders, leavesOut: leftOut > 0}, commit, release)
  } catch (error) {
    await release()
    if (isMissing(error) || (error instanceof Error && /not our ref/.test(error.message))) {
      throw new SourceError('COMMIT_GONE', `commit ${commit} is not on the server any more`, {commit}, {cause: error})
    }
    throw error
  }
}

/** Undefined where the server has no such commit any more, which it may tell by sending nothing. The library would inflate each object of a pack, whatever its size: it is stopped as it begins to store one. */
async function fetchPack(url: string, access: GitAccess, commit: string, gitdir: string): Promise<Buffer | undefined> {
  let pack: Buffer | undefined
  const fs = {
    promises: {
      ...nodeFs.promises,
      async writeFile(...args: Parameters<typeof writeFile>): Promise<void> {
        const [path, content] = args
        if (!String(path).endsWith('.pack') || !(content instanceof Uint8Array)) return writeFile(...args)
        pack = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
        throw new PackArrived()
      },
    },
  }
  await git.init({fs, gitdir, bare: true})
  await git.addRemote({fs, gitdir, remote: 'origin', url})
  const http = createGitHttpClient(access, gitHttpLimits.requestTimeoutMs)
  try {
    await git.fetch({fs, http, gitdir, url, ref: commit, depth: 1, singleBranch: true, tags: false})
  } catch (error) {
    if (!(error instanceof PackArrived)) throw error
  }
  return pack
}

class PackArrived extends Error {}
