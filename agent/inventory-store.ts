import {childObject} from '#shared/model/manifest.ts'
import {decodeInventory, encodeInventory, orderInventoryWrites} from '#shared/plan/encode-inventory.ts'
import type {InventoryEntry} from '#shared/plan/inventory.ts'
import {InventoryError} from '#shared/plan/inventory-error.ts'
import type {KubeClient} from './kube/kube-client.ts'
import {type KubeObject, labelOf} from './kube/kube-object.ts'
import {INVENTORY_LABEL} from './marks.ts'
import {stateTypes} from './state-types.ts'
import {createStateWriter, type StateWriterOptions} from './write-state.ts'

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
 * Creates the store in a namespace that exists. One agent writes at a time: it holds the Lease, and where two believe that they do, the
 * writes of one of them fail and end its term. `writer` names the process.
 */
export function createInventoryStore(
  kube: Pick<KubeClient, 'apply' | 'delete' | 'list' | 'get'>,
  namespace: string,
  {writer = '', ...options}: StateWriterOptions & {writer?: string} = {},
): InventoryStore {
  const bounded = options.lastTry === undefined ? {} : {lastTry: options.lastTry}
  const state = createStateWriter(kube, options)
  /** The chunks as they were read, by name, until they are written. */
  const readBefore = new Map<string, string>()
  const storedChunks = new Map<string, number>()

  async function read(
    labelSelector: string,
    onRead: (item: KubeObject) => void = () => undefined,
  ): Promise<Map<string, StoredInventory & {chunks: number}>> {
    const byApp = new Map<string, KubeObject[]>()
    const {items} = await kube.list(stateTypes.configMap, {detail: 'whole', namespace, labelSelector})
    for (const item of items) {
      onRead(item)
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
  const note = (item: KubeObject): void => {
    state.note(item)
    readBefore.set(item.metadata.name, chunkText(item))
  }
  const isTheirs = (item: KubeObject): boolean =>
    childObject(item, 'data')?.writer !== writer && chunkText(item) !== readBefore.get(item.metadata.name)

  return {
    async loadAll() {
      const loaded = await read(INVENTORY_LABEL, note)
      storedChunks.clear()
      for (const [app, {chunks}] of loaded) storedChunks.set(app, chunks)
      return loaded
    },

    readAll: () => read(INVENTORY_LABEL),

    async load(app) {
      const found = (await read(`${INVENTORY_LABEL}=${app}`, note)).get(app)
      storedChunks.set(app, found?.chunks ?? 0)
      return found
    },

    async save(app, entries, serviceAccount) {
      const chunks = encodeInventory(entries)
      for (const {index, write} of orderInventoryWrites(storedChunks.get(app) ?? 0, chunks)) {
        const target = nameOf(app, index)
        if (write === 'remove') {
          await kube.delete(stateTypes.configMap, target, {propagation: 'Background', ...bounded})
          state.forget(target.name)
          continue
        }
        const body = {
          labels: {[INVENTORY_LABEL]: app},
          data: {writer, ...(serviceAccount === undefined ? {} : {serviceAccount})},
          binaryData: {chunk: Buffer.from(write).toString('base64')},
        }
        await state.write(target, body, isTheirs)
        readBefore.delete(target.name)
      }
      storedChunks.set(app, chunks.length)
    },

    async remove(app) {
      for (let index = (storedChunks.get(app) ?? 1) - 1; index >= 0; index--) {
        const target = nameOf(app, index)
        await kube.delete(stateTypes.configMap, target, {propagation: 'Background', ...bounded})
        state.forget(target.name)
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
  return Buffer.from(chunkText(item), 'base64')
}

function chunkText(item: KubeObject): string {
  const chunk = childObject(item, 'binaryData')?.chunk
  return typeof chunk === 'string' ? chunk : ''
}
