import {childObject} from '#shared/model/manifest.ts'
import {decodeInventory, encodeInventory, orderInventoryWrites} from '#shared/plan/encode-inventory.ts'
import type {InventoryEntry} from '#shared/plan/inventory.ts'
import {InventoryError} from '#shared/plan/inventory-error.ts'
import {decodeFirstInstall, encodeFirstInstall, type FirstInstall} from './first-install.ts'
import type {KubeClient} from './kube/kube-client.ts'
import {type KubeObject, labelOf} from './kube/kube-object.ts'
import {INVENTORY_LABEL} from './marks.ts'
import {stateTypes} from './state-types.ts'
import {createStateWriter, type StateWriterOptions} from './write-state.ts'

const NAME_PREFIX = 'drawbridge-inventory-'

/** An app's inventory as the cluster holds it. */
export interface StoredInventory {
  /** An `InventoryError` where it cannot be read: nothing may be pruned by half an inventory. */
  entries: InventoryEntry[] | InventoryError
  /** `namespace/name` that the app was applied as last, undefined for the agent itself: when the app is removed nothing else tells. */
  serviceAccount: string | undefined
  firstInstall: FirstInstall
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
  save(
    app: string,
    entries: InventoryEntry[],
    serviceAccount: string | undefined,
    firstInstall?: FirstInstall,
  ): Promise<void>
  /** Forgets an app. */
  remove(app: string): Promise<void>
}

/**
 * Creates the store in a namespace that exists. One agent writes at a time: it holds the Lease, and where two believe that they do, the
 * writes of one of them fail and end its term. `writer` names the process.
 */
export function createInventoryStore(
  kube: Pick<KubeClient, 'apply' | 'create' | 'delete' | 'list' | 'get'>,
  namespace: string,
  {writer = '', ...options}: StateWriterOptions & {writer?: string} = {},
): InventoryStore {
  const state = createStateWriter(kube, options)
  /** The chunks as they were read, by name, until they are written. */
  const readBefore = new Map<string, string>()
  const stored = new Map<string, {chunks: number; serviceAccount: string | undefined; firstInstall: FirstInstall}>()

  async function read(
    labelSelector: string,
    onRead: (item: KubeObject) => void = () => undefined,
  ): Promise<Map<string, StoredInventory & {chunks: number}>> {
    const byApp = new Map<string, Map<number, KubeObject>>()
    const {items} = await kube.list(stateTypes.configMap, {detail: 'whole', namespace, labelSelector})
    for (const item of items) {
      const chunk = chunkOf(item)
      if (chunk === undefined) continue
      onRead(item)
      byApp.set(chunk.app, (byApp.get(chunk.app) ?? new Map<number, KubeObject>()).set(chunk.index, item))
    }
    return new Map(
      [...byApp].map(([app, parts]) => [
        app,
        {
          entries: decodeOrExplain([...parts.values()].map(readChunk)),
          serviceAccount: readServiceAccount(parts.get(0)),
          firstInstall: decodeFirstInstall(childObject(parts.get(0), 'data')?.install),
          chunks: Math.max(...parts.keys()) + 1,
        },
      ]),
    )
  }

  const nameOf = (app: string, index: number) => ({namespace, name: `${NAME_PREFIX}${app}-${index}`})
  const note = (item: KubeObject): void => {
    state.note(item)
    readBefore.set(item.metadata.name, chunkText(item))
  }
  // What no agent would read as an inventory no agent wrote.
  const isTheirs = (item: KubeObject): boolean =>
    chunkOf(item) !== undefined &&
    childObject(item, 'data')?.writer !== writer &&
    chunkText(item) !== readBefore.get(item.metadata.name)

  async function removeChunk(app: string, index: number): Promise<void> {
    await state.remove(nameOf(app, index))
  }

  async function save(
    app: string,
    entries: InventoryEntry[],
    serviceAccount: string | undefined,
    firstInstall: FirstInstall = 'past',
  ): Promise<void> {
    const chunks = encodeInventory(entries)
    // Some chunks alone of a first write could not be read, were it stopped halfway.
    if (!stored.has(app) && chunks.length > 1) await save(app, [], serviceAccount, firstInstall)
    for (const {index, write} of orderInventoryWrites(stored.get(app)?.chunks ?? 0, chunks)) {
      if (write === 'remove') {
        await removeChunk(app, index)
        continue
      }
      const target = nameOf(app, index)
      const body = {
        labels: {[INVENTORY_LABEL]: app},
        data: {writer, serviceAccount: serviceAccount ?? '', install: encodeFirstInstall(firstInstall)},
        binaryData: {chunk: Buffer.from(write).toString('base64')},
      }
      await state.write(target, body, isTheirs)
      readBefore.delete(target.name)
    }
    stored.set(app, {chunks: chunks.length, serviceAccount, firstInstall})
  }

  return {
    async loadAll() {
      const loaded = await read(INVENTORY_LABEL, note)
      stored.clear()
      for (const [app, {entries: _, ...known}] of loaded) stored.set(app, known)
      return loaded
    },

    readAll: () => read(INVENTORY_LABEL),

    async load(app) {
      const found = (await read(`${INVENTORY_LABEL}=${app}`, note)).get(app)
      if (found === undefined) {
        stored.delete(app)
        return undefined
      }
      const {entries: _, ...known} = found
      stored.set(app, known)
      return found
    },

    save,

    async remove(app) {
      const {chunks = 1, serviceAccount, firstInstall} = stored.get(app) ?? {}
      // One chunk of several could not be read, were this stopped halfway: an empty inventory has one.
      if (chunks > 1) await save(app, [], serviceAccount, firstInstall)
      await removeChunk(app, 0)
      stored.delete(app)
    },
  }
}

/** Which chunk a ConfigMap is. Its name must be the very one that the agent gives: any label can be on any object. */
function chunkOf(item: KubeObject): {app: string; index: number} | undefined {
  const {name} = item.metadata
  const app = labelOf(item, INVENTORY_LABEL)
  const index = /-(0|[1-9]\d{0,3})$/.exec(name)?.[1]
  return app === undefined || index === undefined || name !== `${NAME_PREFIX}${app}-${index}`
    ? undefined
    : {app, index: Number(index)}
}

function decodeOrExplain(parts: Uint8Array[]): InventoryEntry[] | InventoryError {
  try {
    return decodeInventory(parts)
  } catch (error) {
    if (error instanceof InventoryError) return error
    throw error
  }
}

function readServiceAccount(item: KubeObject | undefined): string | undefined {
  const name = childObject(item, 'data')?.serviceAccount
  return typeof name === 'string' && name !== '' ? name : undefined
}

function readChunk(item: KubeObject): Uint8Array {
  return Buffer.from(chunkText(item), 'base64')
}

function chunkText(item: KubeObject): string {
  const chunk = childObject(item, 'binaryData')?.chunk
  return typeof chunk === 'string' ? chunk : ''
}
