import type {KubeClient, ResourceType} from './kube-client.ts'

/** Knows which types the API server serves; asks once per API version, and only for those that are used. */
export interface Discovery {
  /** The type of a kind, or undefined where the server does not serve it (asked anew then, at most once a second). */
  find(apiVersion: string, kind: string): Promise<ResourceType | undefined>
  /** The type where it was found before, without a request. */
  known(apiVersion: string, kind: string): ResourceType | undefined
  /** Forgets an API version, after its definition changed. */
  forget(group: string): void
}

/** Looks types up through the client. `nowMs` is a monotonic clock. */
export function createDiscovery(
  client: Pick<KubeClient, 'listTypes'>,
  nowMs: () => number = () => performance.now(),
): Discovery {
  const versions = new Map<string, {types: Map<string, ResourceType>; askedAt: number}>()
  const asking = new Map<string, Promise<void>>()

  async function ask(apiVersion: string): Promise<void> {
    const types = await client.listTypes(apiVersion)
    const byKind = new Map<string, ResourceType>()
    if (types !== 'absent') for (const type of types) if (!byKind.has(type.kind)) byKind.set(type.kind, type)
    versions.set(apiVersion, {types: byKind, askedAt: nowMs()})
  }

  return {
    async find(apiVersion, kind) {
      const present = versions.get(apiVersion)
      const found = present?.types.get(kind)
      if (found !== undefined) return found
      if (present !== undefined && nowMs() - present.askedAt < 1_000) return undefined
      let request = asking.get(apiVersion)
      if (request === undefined) {
        request = ask(apiVersion).finally(() => asking.delete(apiVersion))
        asking.set(apiVersion, request)
      }
      await request
      return versions.get(apiVersion)?.types.get(kind)
    },
    known: (apiVersion, kind) => versions.get(apiVersion)?.types.get(kind),
    forget(group) {
      for (const apiVersion of versions.keys()) {
        if (apiVersion.startsWith(`${group}/`)) versions.delete(apiVersion)
      }
    },
  }
}
