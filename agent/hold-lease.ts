import {setTimeout as sleep} from 'node:timers/promises'
import {describeError} from '#shared/model/drawbridge-error.ts'
import {childObject} from '#shared/model/manifest.ts'
import type {Clock} from '#shared/ports/clock.ts'
import type {KubeClient} from './kube/kube-client.ts'
import {isKubeError} from './kube/kube-error.ts'
import type {KubeObject, NewObject} from './kube/kube-object.ts'
import {stateTypes} from './state-types.ts'

export interface LeaseOptions {
  namespace: string
  name: string
  /** Who holds it: unique to this process. */
  identity: string
  /** How long it holds without being renewed; it is renewed three times as often. */
  leaseSeconds: number
  clock: Clock
  log: (message: string) => void
  /** Another holds it. */
  onStandby?: () => void
  /** Sees why it could not be written, before the next try. */
  onRefused?: (error: unknown) => Promise<void>
}

/** A term of leadership. */
export interface Term {
  /** Ends when the Lease is lost, or was given up. */
  signal: AbortSignal
  /** Gives the Lease up, so that another need not wait for it to run out. */
  release(): Promise<void>
}

type LeaseClient = Pick<KubeClient, 'get' | 'create' | 'replace'>

/**
 * Waits until this process holds the Lease, and keeps it. Others' clocks are not believed: a Lease has run out when it was seen
 * unchanged for its whole duration, or was deleted for as long. Undefined where `signal` ended first.
 */
export async function holdLease(
  kube: LeaseClient,
  options: LeaseOptions,
  signal: AbortSignal,
): Promise<Term | undefined> {
  const retryMs = (options.leaseSeconds * 1000) / 5
  let seen = {version: '', at: 0, seconds: 0}
  let waitingFor = ''
  while (!signal.aborted) {
    try {
      const lease = await kube.get(stateTypes.lease, options, 'whole')
      if (lease !== 'absent' && lease.metadata.resourceVersion !== seen.version) {
        seen = {version: lease.metadata.resourceVersion, at: performance.now(), seconds: readSpec(lease).seconds}
      }
      // Also where somebody deleted it under its holder, who still acts and makes it anew.
      const ranOut = performance.now() - seen.at > seen.seconds * 1000
      const holder = lease === 'absent' ? undefined : readSpec(lease).holder
      if (ranOut || holder === '' || holder === options.identity) {
        const taken =
          lease === 'absent'
            ? await kube.create(stateTypes.lease, leaseOf(options, undefined))
            : await kube.replace(stateTypes.lease, leaseOf(options, lease))
        if (typeof taken !== 'string') return keepLease(kube, options, taken)
      } else {
        if (holder !== undefined && waitingFor !== holder) {
          options.log(`another agent (${holder}) holds the Lease ${options.namespace}/${options.name}; waiting`)
          waitingFor = holder
        }
        options.onStandby?.()
      }
    } catch (error) {
      options.log(`cannot take the Lease: ${describeError(error)}`)
      await options.onRefused?.(error)
    }
    await sleep(retryMs, undefined, {signal}).catch(() => undefined)
  }
  return undefined
}

function keepLease(kube: LeaseClient, options: LeaseOptions, first: KubeObject): Term {
  const lost = new AbortController()
  let lease = first
  let renewedAt = performance.now()
  const end = () => {
    clearInterval(timer)
    lost.abort()
  }
  let renewing: Promise<void> = Promise.resolve()
  /** Makes it anew where somebody deleted it, unless another agent was faster. */
  const replaceOrCreate = async (): Promise<KubeObject | 'conflict'> => {
    try {
      return await kube.replace(stateTypes.lease, leaseOf(options, lease))
    } catch (error) {
      if (!isKubeError(error, 'NOT_FOUND')) throw error
      const created = await kube.create(stateTypes.lease, leaseOf(options, undefined))
      return created === 'exists' ? 'conflict' : created
    }
  }
  const renew = async () => {
    try {
      const renewed = await replaceOrCreate()
      if (lost.signal.aborted) return
      if (renewed !== 'conflict') {
        lease = renewed
        renewedAt = performance.now()
        return
      }
      const present = await kube.get(stateTypes.lease, options, 'whole')
      if (present === 'absent' || readSpec(present).holder !== options.identity) {
        options.log('the Lease was taken by another agent')
        end()
        return
      }
      lease = present
    } catch (error) {
      options.log(`cannot renew the Lease: ${describeError(error)}`)
      await options.onRefused?.(error)
    }
  }
  let busy = false
  const timer = setInterval(
    () => {
      // Before anybody else may take it, with time left to stop writing.
      if (performance.now() - renewedAt > options.leaseSeconds * 1000 * (4 / 5)) {
        options.log('the Lease could not be renewed in time')
        end()
        return
      }
      if (busy || performance.now() - renewedAt < (options.leaseSeconds * 1000) / 3) return
      busy = true
      renewing = renew().finally(() => {
        busy = false
      })
    },
    Math.max(50, (options.leaseSeconds * 1000) / 30),
  )
  return {
    signal: lost.signal,
    async release() {
      const held = !lost.signal.aborted
      end()
      await renewing
      if (!held) return
      try {
        await kube.replace(stateTypes.lease, leaseOf({...options, identity: ''}, lease))
      } catch (error) {
        options.log(`cannot give up the Lease: ${describeError(error)}`)
      }
    },
  }
}

function readSpec(lease: KubeObject): {holder: string; seconds: number} {
  const spec = childObject(lease, 'spec')
  return {
    holder: typeof spec?.holderIdentity === 'string' ? spec.holderIdentity : '',
    seconds: typeof spec?.leaseDurationSeconds === 'number' ? spec.leaseDurationSeconds : 15,
  }
}

function leaseOf(options: LeaseOptions, present: KubeObject | undefined): NewObject {
  const now = options.clock.now().toISOString().replace('Z', '000Z')
  const spec = childObject(present, 'spec')
  const same = spec?.holderIdentity === options.identity
  const transitions = typeof spec?.leaseTransitions === 'number' ? spec.leaseTransitions : 0
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {...present?.metadata, namespace: options.namespace, name: options.name},
    spec: {
      holderIdentity: options.identity,
      leaseDurationSeconds: options.leaseSeconds,
      acquireTime: same && typeof spec.acquireTime === 'string' ? spec.acquireTime : now,
      renewTime: now,
      leaseTransitions: same || present === undefined ? transitions : transitions + 1,
    },
  }
}
