import {createHash} from 'node:crypto'

/** Git's object id (SHA-1) of a blob. */
export function blobId(content: Uint8Array): string {
  return createHash('sha1').update(`blob ${content.byteLength}\0`).update(content).digest('hex')
}

/** An entry of a tree object; `mode` as git writes it there (`40000`, `100644`, `100755`, `120000`, `160000`). */
export interface TreeObjectEntry {
  name: string
  mode: string
  oid: string
}

/** Git's object id of a tree. Git sorts a folder as if its name ended with a slash. */
export function treeId(entries: readonly TreeObjectEntry[]): string {
  const sorted = entries
    .map((entry) => ({...entry, key: Buffer.from(entry.mode === '40000' ? `${entry.name}/` : entry.name)}))
    .sort((a, b) => Buffer.compare(a.key, b.key))
  const parts = sorted.map(({name, mode, oid}) =>
    Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, 'hex')]),
  )
  const body = Buffer.concat(parts)
  return createHash('sha1').update(`tree ${body.byteLength}\0`).update(body).digest('hex')
}
