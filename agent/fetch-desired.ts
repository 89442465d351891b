import {setTimeout as sleep} from 'node:timers/promises'
import {describeError} from '#shared/model/drawbridge-error.ts'
import {keys} from '#shared/model/keys.ts'
import {limits} from '#shared/model/limits.ts'
import {acceptDesired, recallAccepted} from './accept-desired.ts'
import {type AcceptedRecord, AcceptedStateError, type AcceptedStore} from './accepted-state.ts'
import type {AgentContext, DesiredCondition} from './agent-context.ts'
import {setDesired} from './set-desired.ts'
import {tellRefusal} from './tell-event.ts'

/** Looks for a newer desired state and makes it the one to bring about, if it can be believed. */
export interface DesiredFetcher {
  fetch(): Promise<void>
  /** Writes what was accepted last anew where the cluster no longer remembers it: without that an older one would be accepted again. */
  verifyMemory(): Promise<void>
  /** Rejects with `KubeError` ABORTED, and ends the term, where another agent accepted something newer. */
  requireNewest(): Promise<void>
}

const SAVE_RETRY_MS = 500
const CANNOT_REMEMBER = 'the accepted version cannot be remembered in the cluster'
const FETCH_LIMIT_MS = 30_000

/** Creates the fetcher. `accepted` is what the cluster remembers, `toldBefore` why an earlier agent said that what there was is not believed. */
export function createDesiredFetcher(
  ctx: AgentContext,
  memory: AcceptedStore,
  accepted: AcceptedRecord | undefined,
  toldBefore?: string,
): DesiredFetcher {
  const {store, clock, trustRoot} = ctx.ports
  const {cluster} = ctx.config
  let record = accepted
  let etag: string | undefined
  /** Why the document that was seen last is not believed. */
  let refusal: string | undefined
  /** The same, of an earlier agent: it is told once, however often an agent starts. */
  let earlier = toldBefore
  let remembering: Promise<void> | undefined

  return {
    async fetch() {
      let found: Awaited<ReturnType<typeof store.get>>
      try {
        found = await store.get(keys.desired(cluster), {
          maxBytes: limits.maxEnvelopeBytes,
          signal: AbortSignal.any([ctx.signal, AbortSignal.timeout(FETCH_LIMIT_MS)]),
          ...(etag === undefined ? {} : {ifNoneMatch: etag}),
        })
      } catch (error) {
        if (!ctx.signal.aborted) freeze(`the desired state cannot be fetched: ${describeError(error)}`)
        return
      }
      if (found === 'absent') return freeze('no desired state is published for this cluster')
      if (found === 'not-modified') {
        if (refusal === undefined) checkExpiry()
        else freeze(refusal)
        return
      }
      take(found.bytes, found.etag, clock.now())
    },

    requireNewest: async () => (record === undefined ? undefined : memory.requireNewest(record.version)),

    async verifyMemory() {
      const known = record
      if (known === undefined || remembering !== undefined) return
      const kept = await memory.load().catch((error: unknown) => {
        if (error instanceof AcceptedStateError) return undefined
        throw error
      })
      // A later version is another agent's, which leads by now.
      const isKept = kept !== undefined && (kept.payload === known.payload || kept.version > known.version)
      if (isKept || record !== known || remembering !== undefined || ctx.signal.aborted) return
      ctx.ports.log('warn', 'what was accepted last was changed in the cluster by somebody else; it is written anew')
      remembering = remember()
      ctx.acceptance = remembering
    },
  }

  function take(envelope: Uint8Array, newEtag: string, pulledAt: Date): void {
    const acceptance = acceptDesired(envelope, {trustRoot, cluster, accepted: record, clock})
    etag = newEtag
    if (acceptance.outcome === 'refused') {
      const {code, message} = acceptance.error
      const told = refusal === `${code}: ${message}`
      refusal = `${code}: ${message}`
      // Read again at the next poll: the document stays the same, and a clock that is wrong now may be put right.
      if (code === 'EXPIRED') etag = undefined
      if (!told) {
        if (refusal !== earlier) tellRefusal(ctx, pulledAt, code, message)
        earlier = undefined
        ctx.ports.log('warn', `refused a desired state: ${code}: ${message}`)
      }
      freeze(refusal)
      return
    }
    refusal = undefined
    earlier = undefined
    if (acceptance.outcome === 'accepted') {
      record = acceptance.record
      remembering ??= remember()
      ctx.acceptance = remembering
    }
    const {desired} = acceptance
    setState({version: desired.version, state: 'current'})
    setDesired(ctx, desired, pulledAt)
  }

  /** Keeps what runs, and says that it is stale; falls back on what the cluster remembers where nothing is known yet. */
  function freeze(reason: string): void {
    if (ctx.desired === undefined && record !== undefined) {
      try {
        const recalled = recallAccepted(record, {trustRoot, cluster})
        if (recalled !== undefined) setDesired(ctx, recalled, clock.now())
      } catch (error) {
        ctx.ports.log('warn', `what the cluster remembers as accepted is not believed: ${describeError(error)}`)
      }
    }
    setState({version: record?.version ?? 0, state: record === undefined ? 'none' : 'stale', reason})
  }

  function checkExpiry(): void {
    const {desired} = ctx
    if (desired === undefined) return
    if (Date.parse(desired.expiresAt) <= clock.now().getTime()) {
      const reason = `EXPIRED: the desired state expired at ${desired.expiresAt}`
      if (ctx.condition.reason !== reason) tellRefusal(ctx, clock.now(), 'EXPIRED', reason)
      setState({version: desired.version, state: 'stale', reason})
    } else setState({version: desired.version, state: 'current'})
  }

  function setState(next: Omit<DesiredCondition, 'since'>): void {
    const {condition} = ctx
    if (condition.version === next.version && condition.state === next.state && condition.reason === next.reason) return
    const since = condition.state === next.state ? condition.since : clock.now().toISOString()
    ctx.condition = {...next, since}
    ctx.changed()
  }

  /**
   * No object is written to the cluster before the accepted version is remembered in it. One write at a time, until the version
   * that was accepted last is there: an older one must not land after a newer.
   */
  async function remember(): Promise<void> {
    while (!ctx.signal.aborted && record !== undefined) {
      const next = record
      try {
        await memory.save(next)
        if (record !== next) continue
        remembering = undefined
        if (ctx.condition.reason?.startsWith(CANNOT_REMEMBER)) setState({version: next.version, state: 'current'})
        return
      } catch (error) {
        const words = `${CANNOT_REMEMBER}: ${describeError(error)}`
        ctx.ports.log('warn', words)
        setState({version: next.version, state: 'stale', reason: words})
      }
      await sleep(SAVE_RETRY_MS, undefined, {signal: ctx.signal}).catch(() => undefined)
    }
  }
}
