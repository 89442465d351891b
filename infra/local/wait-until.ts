import {setTimeout as sleep} from 'node:timers/promises'

/**
 * Asks `probe` again and again until it answers something other than undefined, and returns that.
 * Returns undefined after `timeoutMilliseconds`; a probe that throws ends the wait with its error.
 */
export async function waitUntil<T>(
  probe: () => Promise<T | undefined>,
  {timeoutMilliseconds, everyMilliseconds = 25}: {timeoutMilliseconds: number; everyMilliseconds?: number},
): Promise<T | undefined> {
  const deadline = performance.now() + timeoutMilliseconds
  do {
    const answer = await probe()
    if (answer !== undefined) return answer
    await sleep(everyMilliseconds)
  } while (performance.now() < deadline)
  return undefined
}
