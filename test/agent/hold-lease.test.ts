import assert from 'node:assert/strict'
import {test} from 'node:test'
import {holdLease} from '#agent/hold-lease.ts'
import {systemClock} from '#shared/ports/clock.ts'

test('pauses before it tries again where the Lease appears and goes under its hands', async () => {
  const stop = new AbortController()
  const asked: number[] = []
  const kube = {
    async get() {
      asked.push(performance.now())
      if (asked.length === 4) stop.abort()
      return 'absent' as const
    },
    create: async () => 'exists' as const,
    replace: async () => 'conflict' as const,
  }
  const options = {
    namespace: 'n',
    name: 'l',
    identity: 'i',
    leaseSeconds: 0.5,
    clock: systemClock,
    log: () => undefined,
  }
  assert.equal(await holdLease(kube, options, stop.signal), undefined)
  const [first = 0, ...later] = asked
  assert.ok(later.every((at, index) => at - first > (index + 1) * 90))
})
