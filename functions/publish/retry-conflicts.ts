import {randomInt} from 'node:crypto'
import {setTimeout as wait} from 'node:timers/promises'
import {PublishError} from './publish-error.ts'

const MAX_TRIES = 10

/** Runs `attempt` until it no longer meets a conflict, starting over after a short random wait. Rejects with `PublishError` CONTENTION after ten tries. */
export async function retryConflicts<Result>(
  cluster: string,
  attempt: () => Promise<Result | 'conflict'>,
): Promise<Exclude<Result, 'conflict'>> {
  for (let tries = 1; tries <= MAX_TRIES; tries++) {
    const result = await attempt()
    if (result !== 'conflict') return result as Exclude<Result, 'conflict'>
    if (tries < MAX_TRIES) await wait(randomInt(5, 25 * tries))
  }
  throw new PublishError('CONTENTION', `others keep writing the desired state of cluster ${cluster}`, {cluster})
}
