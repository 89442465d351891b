import type {FolderItem} from './parse-tree-object.ts'

/** Folders by the id of their tree object, which never changes its content: what commits have in common is read once. */
export interface FolderCache {
  get(oid: string): readonly FolderItem[] | undefined
  set(oid: string, items: readonly FolderItem[]): void
}

/** Creates a cache that holds the folders used last, with at most `maxItems` entries together. */
export function createFolderCache(maxItems = 200_000): FolderCache {
  const folders = new Map<string, readonly FolderItem[]>()
  let total = 0
  return {
    get(oid) {
      const items = folders.get(oid)
      if (items === undefined) return undefined
      // A Map keeps the order of insertion: the first is the one not used for longest.
      folders.delete(oid)
      folders.set(oid, items)
      return items
    },
    set(oid, items) {
      if (folders.has(oid) || items.length > maxItems) return
      folders.set(oid, items)
      total += items.length + 1
      for (const [oldest, old] of folders) {
        if (total <= maxItems) break
        folders.delete(oldest)
        total -= old.length + 1
      }
    },
  }
}
