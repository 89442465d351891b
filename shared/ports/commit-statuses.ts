/** Shows on the git host how a commit fares. */
export interface CommitStatuses {
  /**
   * Sets the status of a commit under a context (`drawbridge/<cluster>`, `drawbridge/render`); the last one set wins.
   * Idempotent. `description` is cut to what the host holds (140 characters on GitHub).
   */
  setCommitStatus(status: CommitStatus): Promise<void>
}

export interface CommitStatus {
  repository: string
  commit: string
  context: string
  state: 'pending' | 'success' | 'failure'
  description: string
  targetUrl?: string
}
