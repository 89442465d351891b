import {setTimeout as sleep} from 'node:timers/promises'
import type {AgentContext} from './agent-context.ts'
import {isOutdated} from './pace-heals.ts'

const INTERVAL_MS = 60_000

/** Once a minute stops to watch kinds that no app has any more, and forgets old heals. Ends with the term. */
export async function tidyUp(ctx: AgentContext): Promise<void> {
  while (!ctx.signal.aborted) {
    await sleep(INTERVAL_MS, undefined, {signal: ctx.signal}).catch(() => undefined)
    const apps = [...ctx.apps.values()]
    // A reconcile that runs may be about to apply a kind that is in no inventory yet.
    if (!apps.some(({running}) => running !== undefined)) {
      const refs = apps.flatMap(({inventory}) => [...inventory.values()].map(({ref}) => `${ref.group}/${ref.kind}`))
      ctx.live.keepOnly(new Set(refs))
    }
    const now = performance.now()
    for (const {heals} of apps) {
      for (const [key, record] of heals) if (isOutdated(record, now)) heals.delete(key)
    }
  }
}
