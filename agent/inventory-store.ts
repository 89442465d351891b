import {childObject} from '#shared/model/manifest.ts'
import {decodeInventory, encodeInventory, orderInventoryWrites} from '#shared/plan/encode-inventory.ts'
import type {InventoryEntry} from '#shared/plan/inventory.ts'
import {InventoryError} from '#shared/plan/inventory-error.ts'
import type {KubeClient} from './kube/kube-client.ts'
import {type KubeObject, labelOf} from './kube/kube-object.ts'
import {INVENTORY_LABEL, STATE_MANAGER} from './marks.ts'
import {stateTypes} from './state-types.ts'

/** What each app applied, kept in ConfigMaps `drawbridge-inventory-<app>-<n>`. */
export interface InventoryStore {
  /** All inventories by app; an `InventoryError` in place of one that cannot be read: nothing may be pruned by half an inventory. */
  loadAll(): Promise<Map<string, InventoryEntry[] | InventoryError>>
  /** Writes an app's inventory; a stop halfway loses no entry. */
  save(app: string, entries: InventoryEntry[]): Promise<void>
  /** Forgets an app. */
  remove(app: string): Promise<void>
}

/** Creates the store in a namespace that exists. One agent writes at a time: it holds the Lease. */
export function createInventoryStore(
  kube: Pick<KubeClient, 'apply' | 'delete' | 'list' | 'get'>,
  namespace: string,
): InventoryStore {
  const storedChunks = new Map<string, number>()
  const nameOf = (app: string, index: number) => ({namespace, name: `drawbridge-inventory-${app}-${index}`})

  return {
    async loadAll() {
      const chunks = new Map<string, Uint8Array[]>()
      const {items} = await kube.list(stateTypes.configMap, {
        detail: 'whole',
        namespace,
        labelSelector: INVENTORY_LABEL,
      })
      for (const item of items) {
        const app = labelOf(item, INVENTORY_LABEL)
        if (app !== undefined) chunks.set(app, [...(chunks.get(app) ?? []), readChunk(item)])
      }
      storedChunks.clear()
      for (const [app, parts] of chunks) storedChunks.set(app, parts.length)
      return new Map([...chunks].map(([app, parts]) => [app, decodeOrExplain(parts)]))
    },

    async save(app, entries) {
      const chunks = encodeInventory(entries)
      for (const {index, write} of orderInventoryWrites(storedChunks.get(app) ?? 0, chunks)) {
        const target = nameOf(app, index)
        if (write === 'remove') {
          await kube.delete(stateTypes.configMap, target, {propagation: 'Background'})
          continue
        }
        const body = {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: {...target, labels: {[INVENTORY_LABEL]: app}},
          binaryData: {chunk: Buffer.from(write).toString('base64')},
        }
        await kube.apply(stateTypes.configMap, target, JSON.stringify(body), {
          fieldManager: STATE_MANAGER,
          force: true,
          detail: 'metadata',
        })
      }
      storedChunks.set(app, chunks.length)
    },

    async remove(app) {
      for (let index = (storedChunks.get(app) ?? 1) - 1; index >= 0; index--) {
        await kube.delete(stateTypes.configMap, nameOf(app, index), {propagation: 'Background'})
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

function readChunk(item: KubeObject): Uint8Array {
  const chunk = childObject(item, 'binaryData')?.chunk
  return Buffer.from(typeof chunk === 'string' ? chunk : '', 'base64')
}
