import {stat} from 'node:fs/promises'
import {join} from 'node:path'
import git from 'isomorphic-git'
import {parseRepositoryUrl} from '../model/repository-url.ts'
import type {Clock} from '../ports/clock.ts'
import {CommitStatusError} from '../ports/commit-status-error.ts'
import type {CommitStatus, CommitStatuses} from '../ports/commit-statuses.ts'
import {atomicFs} from './atomic-fs.ts'
import {cutText} from './cut-text.ts'

const NOTES_REF = 'refs/notes/drawbridge'
const MAX_DESCRIPTION_CHARACTERS = 500

/**
 * Shows commit statuses in a repository on this machine's disk, as git notes: one line per context, `<context>: <state> <description>`,
 * seen by `git log --notes=drawbridge`. Writes of one process to one repository wait for each other. Rejects with `CommitStatusError`.
 */
export function createNoteCommitStatuses({clock}: {clock: Clock}): CommitStatuses {
  const lastWrites = new Map<string, Promise<void>>()
  return {
    setCommitStatus: async (status) => {
      const location = parseRepositoryUrl(status.repository)
      if (location.kind !== 'local') {
        throw new CommitStatusError('REFUSED', `${status.repository} is not a repository on this machine`)
      }
      const before = lastWrites.get(location.path) ?? Promise.resolve()
      const write = before.then(() => writeNote(location.path, status, clock))
      lastWrites.set(
        location.path,
        write.catch(() => undefined),
      )
      await write
    },
  }
}

async function writeNote(path: string, status: CommitStatus, clock: Clock): Promise<void> {
  const gitdir = await findGitDir(path)
  const repository = {fs: atomicFs, gitdir, ref: NOTES_REF}
  try {
    const present = await readNote(repository, status.commit)
    const note = setLine(present, status)
    if (note === present) return
    const author = {
      name: 'Drawbridge',
      email: 'drawbridge@localhost',
      timestamp: Math.floor(clock.now().getTime() / 1_000),
      timezoneOffset: 0,
    }
    await git.addNote({...repository, oid: status.commit, note, force: true, author, committer: author})
  } catch (cause) {
    throw new CommitStatusError('UNAVAILABLE', `could not write the note of ${status.commit} in ${path}`, {}, {cause})
  }
}

async function readNote(repository: {fs: typeof atomicFs; gitdir: string; ref: string}, oid: string): Promise<string> {
  try {
    return Buffer.from(await git.readNote({...repository, oid})).toString('utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'NotFoundError') return ''
    throw error
  }
}

function setLine(note: string, {context, state, description}: CommitStatus): string {
  const others = note.split('\n').filter((line) => line !== '' && !line.startsWith(`${context}: `))
  const line = `${context}: ${state} ${cutText(description, MAX_DESCRIPTION_CHARACTERS)}`.trimEnd()
  return `${[...others, line].sort().join('\n')}\n`
}

async function findGitDir(path: string): Promise<string> {
  for (const candidate of [join(path, '.git'), path]) {
    const objects = await stat(join(candidate, 'objects')).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
        return undefined
      throw error
    })
    if (objects?.isDirectory()) return candidate
  }
  throw new CommitStatusError('REFUSED', `there is no git repository at ${path}`, {path})
}
