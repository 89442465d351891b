import {childObject} from '#shared/model/manifest.ts'
import {decodeInventory, encodeInventory, orderInventoryWrites} from '#shared/plan/encode-inventory.ts'
import type {InventoryEntry} from '#shared/plan/inventory.ts'
import {InventoryError} from '#shared/plan/inventory-error.ts'
import type {KubeClient} from './kube/kube-client.ts'
import {type KubeObject, labelOf} from './kube/kube-object.ts'
import {INVENTORY_LABEL, STATE_MANAGER} from './marks.ts'
import {stateTypes} from './state-types.ts'

/** An app's inventory as the cluster holds it. */
export interface StoredInventory {
  /** An `InventoryError` where it cannot be read: nothing may be pruned by half an inventory. */
  entries: InventoryEntry[] | InventoryError
  /** `namespace/name` that the app was applied as last, undefined for the agent itself: when the app is removed nothing else tells. */
  serviceAccount: string | undefined
}

/** What each app applied, kept in ConfigMaps `drawbridge-inventory-<app>-<n>`. */
export interface InventoryStore {
  /** All inventories by app, to begin with. */
  loadAll(): Promise<Map<string, StoredInventory>>
  /** The same, only to be looked at. */
  readAll(): Promise<Map<string, StoredInventory>>
  /** One app's inventory; undefined where it has none. */
  load(app: string): Promise<StoredInventory | undefined>
  /** Writes an app's inventory; a stop halfway loses no entry. */
  save(app: string, entries: InventoryEntry[], serviceAccount: string | undefined): Promise<void>
  /** Forgets an app. */
  remove(app: string): Promise<void>
}

/**
 * Creates the store in a namespace that exists. One agent writes at a time: it holds the Lease. Once `lastTry` ends no write is tried
 * again, since another agent may write by then.
 */
export function createInventoryStore(
  kube: Pick<KubeClient, 'apply' | 'delete' | 'list' | 'get'>,
  namespace: string,
  lastTry?: AbortSignal,
): InventoryStore {
  const bounded = lastTry === undefined ? {} : {lastTry}
  const storedChunks = new Map<string, number>()

  async function read(labelSelector: string): Promise<Map<string, StoredInventory & {chunks: number}>> {
    const byApp = new Map<string, KubeObject[]>()
    const {items} = await kube.list(stateTypes.configMap, {detail: 'whole', namespace, labelSelector})
    for (const item of items) {
      const app = labelOf(item, INVENTORY_LABEL)
      if (app !== undefined) byApp.set(app, [...(byApp.get(app) ?? []), item])
    }
    return new Map(
      [...byApp].map(([app, parts]) => [
        app,
        {
          entries: decodeOrExplain(parts.map(readChunk)),
          serviceAccount: parts.map(readServiceAccount).find((name) => name !== undefined),
          chunks: parts.length,
        },
      ]),
    )
  }

  const nameOf = (app: string, index: number) => ({namespace, name: `drawbridge-inventory-${app}-${index}`})

  return {
    async loadAll() {
      const loaded = await read(INVENTORY_LABEL)
      storedChunks.clear()
      for (const [app, {chunks}] of loaded) storedChunks.set(app, chunks)
      return loaded
    },

    readAll: () => read(INVENTORY_LABEL),

    async load(app) {
      const found = (await read(`${INVENTORY_LABEL}=${app}`)).get(app)
      storedChunks.set(app, found?.chunks ?? 0)
      return found
    },

    async save(app, entries, serviceAccount) {
      const chunks = encodeInventory(entries)
      for (const {index, write} of orderInventoryWrites(storedChunks.get(app) ?? 0, chunks)) {
        const target = nameOf(app, index)
        if (write === 'remove') {
          await kube.delete(stateTypes.configMap, target, {propagation: 'Background', ...bounded})
          continue
        }
        const body = {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: {...target, labels: {[INVENTORY_LABEL]: app}},
          ...(serviceAccount === undefined ? {} : {data: {serviceAccount}}),
          binaryData: {chunk: Buffer.from(write).toString('base64')},
        }
        await kube.apply(stateTypes.configMap, target, JSON.stringify(body), {
          fieldManager: STATE_MANAGER,
          force: true,
          detail: 'metadata',
          ...bounded,
        })
      }
      storedChunks.set(app, chunks.length)
    },

    async remove(app) {
      for (let index = (storedChunks.get(app) ?? 1) - 1; index >= 0; index--) {
        await kube.delete(stateTypes.configMap, nameOf(app, index), {propagation: 'Background', ...bounded})
      }
      storedChunks.delete(app)
    },
  }
}

function decodeOrExplain(parts: Uint8Array[]): InventoryEntry[] | InventoryError {
  try {
    return decodeInventory(parts)
  } catch (error) {
    if (error instanceof InventoryError) return error
    throw error
  }
}

function readServiceAccount(item: KubeObject): string | undefined {
  const name = childObject(item, 'data')?.serviceAccount
  return typeof name === 'string' ? name : undefined
}

function readChunk(item: KubeObject): Uint8Array {
  const chunk = childObject(item, 'binaryData')?.chunk
  return Buffer.from(typeof chunk === 'string' ? chunk : '', 'base64')
}
