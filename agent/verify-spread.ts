import {setTimeout as sleep} from 'node:timers/promises'
import {describeError} from '#shared/model/drawbridge-error.ts'
import {type AgentContext, aboutApp} from './agent-context.ts'
import type {DesiredFetcher} from './fetch-desired.ts'
import {verifyObject} from './heal-drift.ts'
import {verifyInventories} from './verify-memory.ts'

const LEAST_PAUSE_MS = 20
const MAX_IDLE_MS = 60_000

/**
 * Compares every object with a dry run once per `verifyIntervalSeconds`, spread over that time, and what the cluster remembers of the apps
 * with what it should: the backstop for what no watch told. Ends with the term.
 */
export async function verifySpread(ctx: AgentContext, fetcher: Pick<DesiredFetcher, 'verifyMemory'>): Promise<void> {
  const intervalMs = ctx.config.verifyIntervalSeconds * 1000
  const pause = (ms: number) => sleep(ms, undefined, {signal: ctx.signal}).catch(() => undefined)
  while (!ctx.signal.aborted) {
    const objects = [...ctx.apps.values()].flatMap((app) =>
      app.target?.state === 'present' && app.target.sync.drift !== 'off'
        ? [...app.inventory.keys()].map((key) => ({app, key}))
        : [],
    )
    await Promise.all([fetcher.verifyMemory(), verifyInventories(ctx)]).catch((error: unknown) => {
      ctx.ports.log('info', `cannot verify what the cluster remembers: ${describeError(error)}`)
    })
    if (objects.length === 0) await pause(Math.min(intervalMs, MAX_IDLE_MS))
    for (const {app, key} of objects) {
      await pause(Math.max(LEAST_PAUSE_MS, intervalMs / objects.length))
      if (ctx.signal.aborted) return
      await verifyObject(ctx, app, key).catch((error: unknown) => {
        ctx.ports.log('info', `cannot verify ${key} of app ${app.name}: ${describeError(error)}`, aboutApp(app, key))
      })
    }
  }
}
