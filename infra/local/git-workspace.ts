import {execFile} from 'node:child_process'
import {cp, mkdir, rm, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {promisify} from 'node:util'

const run = promisify(execFile)

/** A bare repository and a clone of it to work in, by the machine's own git. */
export interface GitWorkspace {
  /** Path of the bare repository. */
  readonly bare: string
  /** Path of the clone. */
  readonly clone: string
  write(path: string, text: string): Promise<void>
  remove(path: string): Promise<void>
  /** Commits all changes and pushes; returns the commit. */
  push(message: string, options?: {force?: boolean}): Promise<string>
  git(...args: string[]): Promise<string>
}

const gitTimeoutMilliseconds = 30_000

/** Makes a workspace below `folder`, with the files of `template` (a folder) in the clone, not yet committed. */
export async function createGitWorkspace(folder: string, template?: string): Promise<GitWorkspace> {
  const bare = join(folder, 'fleet.git')
  const clone = join(folder, 'fleet')
  await mkdir(folder, {recursive: true})
  await gitIn(folder, ['init', '--quiet', '--bare', '--initial-branch=main', bare])
  await gitIn(folder, ['init', '--quiet', '--initial-branch=main', clone])
  await gitIn(clone, ['remote', 'add', 'origin', bare])
  if (template !== undefined) await cp(template, clone, {recursive: true})
  const git = (...args: string[]): Promise<string> => gitIn(clone, args)
  return {
    bare,
    clone,
    git,
    async write(path, text) {
      await mkdir(dirname(join(clone, path)), {recursive: true})
      await writeFile(join(clone, path), text)
    },
    remove: (path) => rm(join(clone, path), {recursive: true}),
    async push(message, {force = false} = {}) {
      await git('add', '--all')
      await git('commit', '--quiet', '--allow-empty', '--message', message)
      await git('push', '--quiet', ...(force ? ['--force'] : []), 'origin', 'HEAD')
      return (await git('rev-parse', 'HEAD')).trim()
    },
  }
}

// The user's own configuration (signing, hooks, templates) has no say here.
async function gitIn(folder: string, args: string[]): Promise<string> {
  const identity = {
    GIT_AUTHOR_NAME: 'Demo',
    GIT_AUTHOR_EMAIL: 'demo@example.org',
    GIT_COMMITTER_NAME: 'Demo',
    GIT_COMMITTER_EMAIL: 'demo@example.org',
  }
  const env = {
    ...process.env,
    ...identity,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
  }
  const {stdout} = await run('git', args, {
    cwd: folder,
    env,
    timeout: gitTimeoutMilliseconds,
    maxBuffer: 16 * 1024 * 1024,
  })
  return stdout
}
