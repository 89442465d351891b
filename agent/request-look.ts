/** Wakes whoever fetches the desired state, and tells who asked for it when that is done. */
export interface LookRequests {
  /** Asks for a look. Resolves when one that began afterwards has ended; never, where the term ends before. */
  ask(): Promise<void>
  /** Resolves when somebody asked since a look began last. */
  asked(): Promise<void>
  /** A look begins. To be called when it has ended. */
  begin(): () => void
}

/** Creates the requests of one term. */
export function createLookRequests(): LookRequests {
  let asked = Promise.withResolvers<void>()
  let ended = Promise.withResolvers<void>()
  return {
    ask() {
      asked.resolve()
      return ended.promise
    },
    asked: () => asked.promise,
    begin() {
      const {resolve} = ended
      asked = Promise.withResolvers()
      ended = Promise.withResolvers()
      return resolve
    },
  }
}
