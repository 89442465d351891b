/** Ends a run at its n-th write, the way a killed function ends: from then on nothing has an effect. */
export interface KillSwitch {
  /** Wraps the named methods of a port so that each call counts as a write. */
  guard<Port extends object>(port: Port, writes: readonly (keyof Port & string)[]): Port
  /** How many writes were begun. */
  writes(): number
}

export class Killed extends Error {}

/**
 * Makes a switch that strikes at write number `at` (from 1), before it takes effect or after (its answer is lost).
 * `Infinity` never strikes.
 */
export function createKillSwitch(at: number, moment: 'before' | 'after'): KillSwitch {
  let count = 0
  let isDead = false
  return {
    writes: () => count,
    guard: (port, writes) =>
      new Proxy(port, {
        get: (target, name, receiver) => {
          const method: unknown = Reflect.get(target, name, receiver)
          if (typeof method !== 'function') return method
          return async (...args: unknown[]) => {
            if (isDead) throw new Killed('the function was killed')
            const isWrite = typeof name === 'string' && writes.some((write) => write === name)
            const strikes = isWrite && ++count === at
            if (strikes) isDead = true
            if (strikes && moment === 'before') throw new Killed('the function was killed before a write')
            const result: unknown = await Reflect.apply(method, target, args)
            if (strikes) throw new Killed('the function was killed after a write')
            return result
          }
        },
      }),
  }
}
