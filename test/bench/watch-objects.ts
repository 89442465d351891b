import type {Detail, KubeClient, ResourceType, WatchEvent} from '#agent/kube/kube-client.ts'

/** A watch of the benchmark's own: when something became visible is what it says. */
export interface ObjectWatch {
  /** Resolves with `Date.now()` of the first event from now on that matches; rejects after the time limit, and never after `stop`. */
  expect(what: string, matches: (event: WatchEvent) => boolean): Promise<number>
  stop(): Promise<void>
}

const LIMIT_MS = 180_000

/** Watches the objects of a type in a namespace. */
export async function watchObjects(
  client: KubeClient,
  type: ResourceType,
  {namespace, detail = 'metadata'}: {namespace: string; detail?: Detail},
): Promise<ObjectWatch> {
  const stop = new AbortController()
  const waiting = new Set<(event: WatchEvent) => void>()
  const ending = new Set<() => void>()
  const {resourceVersion} = await client.list(type, {namespace, detail: 'metadata'})
  let version = resourceVersion
  const follow = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await client.watch(
        type,
        {namespace, detail, resourceVersion: version, signal: stop.signal},
        (event) => {
          for (const look of waiting) look(event)
        },
        (next) => {
          version = next
        },
      )
    }
  }
  const watching = follow().catch((error: unknown) => {
    if (!stop.signal.aborted) process.stderr.write(`the benchmark's watch of ${type.plural} ended: ${error}\n`)
  })
  return {
    expect(what, matches) {
      return new Promise((resolve, reject) => {
        const look = (event: WatchEvent): void => {
          if (!matches(event)) return
          end()
          resolve(Date.now())
        }
        const timer = setTimeout(() => {
          end()
          reject(new Error(`${what}: not seen within ${LIMIT_MS / 1000} s`))
        }, LIMIT_MS)
        const end = (): void => {
          waiting.delete(look)
          ending.delete(end)
          clearTimeout(timer)
        }
        waiting.add(look)
        ending.add(end)
      })
    },
    async stop() {
      stop.abort()
      for (const end of ending) end()
      await watching
    },
  }
}
