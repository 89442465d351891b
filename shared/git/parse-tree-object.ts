import type {TreeEntry} from '../ports/git-source.ts'

/** An entry of a tree object: of a folder, wherever it may be. */
export interface FolderItem {
  name: string
  type: TreeEntry['type']
  oid: string
  executable: boolean
}

/** Reads a tree object's content: for each entry its mode in octal, a space, its name, a NUL, and 20 bytes of object id. */
export function parseTreeObject(content: Uint8Array): FolderItem[] {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
  const items: FolderItem[] = []
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at)
    const end = bytes.indexOf(0, space)
    if (space < 0 || end < 0 || end + 20 >= bytes.length) throw new Error('the tree object is damaged')
    const mode = bytes.toString('latin1', at, space)
    const name = bytes.toString('utf8', space + 1, end)
    at = end + 21
    items.push({name, type: typeOf(mode), oid: bytes.toString('hex', end + 1, at), executable: mode === '100755'})
  }
  return items
}

function typeOf(mode: string): TreeEntry['type'] {
  switch (mode) {
    case '40000':
    case '040000':
      return 'folder'
    case '120000':
      return 'symlink'
    case '160000':
      return 'submodule'
    default:
      return 'file'
  }
}
