import assert from 'node:assert/strict'
import {execFile} from 'node:child_process'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {test} from 'node:test'
import {promisify} from 'node:util'
import {createGitWorkspace} from '#infra/local/git-workspace.ts'
import {createNoteCommitStatuses} from '#shared/git-hosts/note-commit-statuses.ts'
import {systemClock} from '#shared/ports/clock.ts'

const run = promisify(execFile)

test('git can read every ref at any moment while statuses are being set', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-notes-'))
  try {
    const workspace = await createGitWorkspace(folder)
    const commit = await workspace.push('first')
    const statuses = createNoteCommitStatuses({clock: systemClock})
    let writing = true
    const read = async (): Promise<number> => {
      let reads = 0
      // Bounded by the writes: the loop ends when the last of them has.
      while (writing) {
        await run('git', ['rev-list', '--objects', '--all', '--quiet'], {cwd: workspace.bare})
        reads++
      }
      return reads
    }
    const reading = [read()]
    for (let count = 0; count < 25; count++) {
      await statuses.setCommitStatus({
        repository: workspace.bare,
        commit,
        context: 'drawbridge/dev',
        state: 'pending',
        description: String(count),
      })
    }
    writing = false
    for (const reads of await Promise.all(reading)) assert.ok(reads > 0)
    assert.match(
      await workspace.git('--git-dir', workspace.bare, 'notes', '--ref=drawbridge', 'show', commit),
      /pending 24/,
    )
  } finally {
    await rm(folder, {recursive: true, force: true})
  }
})
