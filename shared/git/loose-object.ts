import {createHash} from 'node:crypto'
import {type FileHandle, open} from 'node:fs/promises'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {constants, inflate, inflateSync} from 'node:zlib'

/** A git object: its type (`blob`, `tree`, `commit`, `tag`) and its content without the header. */
export interface GitObject {
  type: string
  content: Uint8Array
}

const inflateAll = promisify(inflate)
const firstBytes = 4096

/**
 * Reads an object that has a file of its own, checked against its id; `'absent'` where it has none (it may be in a pack).
 * A larger one than `maxBytes` is only told by its size: the header says it before the rest is read.
 */
export async function readLooseObject(
  gitdir: string,
  oid: string,
  maxBytes: number,
): Promise<GitObject | {tooLarge: number} | 'absent'> {
  let handle: FileHandle
  try {
    handle = await open(join(gitdir, 'objects', oid.slice(0, 2), oid.slice(2)), 'r')
  } catch (error) {
    if (isAbsent(error)) return 'absent'
    throw error
  }
  try {
    const start = Buffer.alloc(firstBytes)
    const {bytesRead} = await handle.read(start, 0, firstBytes, 0)
    const begin = start.subarray(0, bytesRead)
    const header = readHeader(begin)
    if (header === undefined) throw new Error(`object ${oid} is damaged: it has no header`)
    if (header.size > maxBytes) return {tooLarge: header.size}
    const length = header.length + header.size
    // Deflate makes little more of what it cannot compress; what follows beyond that is none of the object's.
    const maxFileBytes = length + (length >> 3) + 1_024
    const rest = bytesRead < firstBytes ? Buffer.alloc(0) : await readRest(handle, bytesRead, maxFileBytes)
    const all = await inflateAll(Buffer.concat([begin, rest]), {maxOutputLength: Math.max(length, 1)})
    if (all.length !== length || createHash('sha1').update(all).digest('hex') !== oid) {
      throw new Error(`object ${oid} is damaged: its content is not what its id says`)
    }
    return {type: header.type, content: all.subarray(header.length)}
  } finally {
    await handle.close()
  }
}

/** `<type> <size>\0`, from the first compressed bytes. */
function readHeader(begin: Uint8Array): {type: string; size: number; length: number} | undefined {
  const text = inflateSync(begin.subarray(0, 128), {finishFlush: constants.Z_SYNC_FLUSH}).toString('latin1')
  const [whole, type, size] = /^([a-z]+) (\d+)\0/.exec(text) ?? []
  if (whole === undefined || type === undefined || size === undefined) return undefined
  return {type, size: Number(size), length: whole.length}
}

async function readRest(handle: FileHandle, offset: number, maxFileBytes: number): Promise<Uint8Array> {
  const {size} = await handle.stat()
  const rest = Buffer.alloc(Math.max(0, Math.min(size, maxFileBytes) - offset))
  const {bytesRead} = await handle.read(rest, 0, rest.length, offset)
  return rest.subarray(0, bytesRead)
}

/** Tells whether a file system call failed because there is no such file. */
export function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}
