import {findToken, type GitToken} from '../git/git-tokens.ts'
import {parseRepositoryUrl} from '../model/repository-url.ts'
import type {Clock} from '../ports/clock.ts'
import type {CommitStatuses} from '../ports/commit-statuses.ts'
import {createGithubCommitStatuses} from './github-commit-statuses.ts'
import {createNoteCommitStatuses} from './note-commit-statuses.ts'

export interface CommitStatusesOptions {
  /** GitHub's tokens; nothing is shown in a repository that the prefix of none names. @default none */
  tokens?: readonly GitToken[]
  /** GitHub's REST API, where GitHub is another one than github.com: `https://github.example.com/api/v3`. */
  githubApi?: string
  clock: Clock
}

/**
 * Shows commit statuses where each repository lives: on GitHub by its API, in a repository on this machine as git notes. On any
 * other host nothing is shown, and that is no failure.
 */
export function createCommitStatuses({tokens = [], githubApi, clock}: CommitStatusesOptions): CommitStatuses {
  const notes = createNoteCommitStatuses({clock})
  const api = githubApi === undefined ? {} : {api: githubApi}
  const github = new Map(tokens.map(({token}) => [token, createGithubCommitStatuses({token, clock, ...api})]))
  const githubHost = githubApi === undefined ? 'github.com' : new URL(githubApi).host
  return {
    setCommitStatus: async (status) => {
      const location = parseRepositoryUrl(status.repository)
      if (location.kind === 'local') await notes.setCommitStatus(status)
      if (location.kind !== 'http' || location.host !== githubHost) return
      await github.get(findToken(tokens, status.repository) ?? '')?.setCommitStatus(status)
    },
  }
}
