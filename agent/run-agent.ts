import {randomBytes} from 'node:crypto'
import {hostname} from 'node:os'
import {setTimeout as sleep} from 'node:timers/promises'
import {describeError} from '#shared/model/drawbridge-error.ts'
import type {AgentPorts} from './agent-context.ts'
import type {CarryOver} from './carry-over.ts'
import type {AgentConfig} from './config.ts'
import {ensureNamespace} from './ensure-namespace.ts'
import {holdLease} from './hold-lease.ts'
import {createInventoryStore} from './inventory-store.ts'
import {leadTerm} from './lead-term.ts'
import {unblockLease} from './unblock-memory.ts'

export const AGENT_VERSION = '0.1.0'
const LEASE_NAME = 'drawbridge-agent'
const RETRY_MS = 1_000

/**
 * Runs the agent until `stop` ends: waits for the Lease, does the work while it holds it, and begins again where it lost it. Resolves
 * within 5 seconds after `stop`, with the Lease given up and the report sent where that was possible.
 */
export async function runAgent(ports: AgentPorts, config: AgentConfig, stop: AbortSignal): Promise<void> {
  const instance = `${hostname()}-${randomBytes(4).toString('hex')}`
  const carried: CarryOver = new Map()
  const inventories = createInventoryStore(ports.kube, config.namespace)
  while (!stop.aborted) {
    try {
      await ensureNamespace(ports.kube, config.namespace)
      const term = await holdLease(
        ports.kube,
        {
          namespace: config.namespace,
          name: LEASE_NAME,
          identity: instance,
          leaseSeconds: config.leaseSeconds,
          clock: ports.clock,
          log: (message) => ports.log('info', message),
          onStandby: () => ports.telemetry.phase('standby'),
          onRefused: (error) => unblockLease(ports, config.namespace, inventories.readAll, error),
        },
        stop,
      )
      if (term === undefined) return
      const over = new AbortController()
      ports.telemetry.phase('starting')
      try {
        const signal = AbortSignal.any([stop, term.signal, over.signal])
        await leadTerm(ports, config, {version: AGENT_VERSION, instance}, signal, carried)
      } finally {
        ports.telemetry.phase('unknown')
        over.abort()
        await term.release()
      }
    } catch (error) {
      if (stop.aborted) return
      ports.log('warn', `the agent begins again: ${describeError(error)}`)
    }
    await sleep(RETRY_MS, undefined, {signal: stop}).catch(() => undefined)
  }
}
