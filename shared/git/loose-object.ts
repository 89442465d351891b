import {open} from 'node:fs/promises'
import {join} from 'node:path'
import {constants, inflateSync} from 'node:zlib'

/** The size that a loose object's header states, read from the first bytes of its file; undefined where the object is not loose. */
export async function looseObjectSize(gitdir: string, oid: string): Promise<number | undefined> {
  let handle: Awaited<ReturnType<typeof open>>
  try {
    handle = await open(join(gitdir, 'objects', oid.slice(0, 2), oid.slice(2)), 'r')
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
  try {
    const start = Buffer.alloc(128)
    const {bytesRead} = await handle.read(start, 0, start.length, 0)
    const header = inflateSync(start.subarray(0, bytesRead), {finishFlush: constants.Z_SYNC_FLUSH}).toString('latin1')
    const size = /^[a-z]+ (\d+)\0/.exec(header)?.[1]
    return size === undefined ? undefined : Number(size)
  } finally {
    await handle.close()
  }
}

/** Tells whether a file system call failed because there is no such file. */
export function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}
