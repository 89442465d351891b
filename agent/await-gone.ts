import {setTimeout as sleep} from 'node:timers/promises'
import {type ObjectRef, refKey} from '#shared/model/object-ref.ts'
import type {AgentContext} from './agent-context.ts'

const LIMIT_MS = 30_000

/** Waits until deleted objects are gone, for half a minute or `limitMs` at most, and returns the keys of those that are not. */
export async function awaitGone(
  ctx: Pick<AgentContext, 'live' | 'signal'>,
  refs: readonly ObjectRef[],
  signal: AbortSignal,
  limitMs: number = LIMIT_MS,
): Promise<string[]> {
  const giveUpAt = performance.now() + limitMs
  for (;;) {
    const left = refs.map(refKey).filter((key) => ctx.live.get(key) !== undefined)
    if (left.length === 0 || signal.aborted || ctx.signal.aborted || performance.now() > giveUpAt) return left
    await sleep(20)
  }
}
