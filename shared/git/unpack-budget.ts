import {setImmediate as nextTurn} from 'node:timers/promises'
import {limits} from '../model/limits.ts'
import {SourceError} from '../ports/source-error.ts'

/** What unpacking one commit may cost. Its methods throw `SourceError` REPOSITORY_TOO_LARGE once that is spent. */
export interface UnpackBudget {
  /** Takes off what is about to be unpacked. */
  spend(bytes: number): void
  /** Lets everything else have its turn, where that has waited for a while. */
  pause(): Promise<void>
}

const TURN_MS = 10

/** Creates the budget of one commit: `maxUnpackedPackBytes`, and `unpackTimeoutSeconds` from now on. */
export function createUnpackBudget(): UnpackBudget {
  const started = performance.now()
  let turn = started
  let left: number = limits.maxUnpackedPackBytes
  return {
    spend(bytes) {
      left -= bytes
      if (left < 0) throw tooLarge('unpacks to more', `${limits.maxUnpackedPackBytes} bytes`)
    },
    async pause() {
      const now = performance.now()
      if (now - started > limits.unpackTimeoutSeconds * 1_000)
        throw tooLarge('takes longer to unpack', `${limits.unpackTimeoutSeconds} seconds`)
      if (now - turn < TURN_MS) return
      await nextTurn()
      turn = performance.now()
    },
  }
}

/** The error of a commit that is too much to be fetched. */
export function tooLarge(what: string, limit: string): SourceError {
  return new SourceError(
    'REPOSITORY_TOO_LARGE',
    `what the git host sends for this commit ${what} than the limit of ${limit}: keep large files elsewhere, such as in Git LFS`,
  )
}
