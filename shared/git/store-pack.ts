import {mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {encodePackIndex} from './pack-index.ts'
import {resolveDeltas} from './resolve-deltas.ts'
import {scanPack} from './scan-pack.ts'
import {createUnpackBudget} from './unpack-budget.ts'

/**
 * Puts a pack that was fetched into a repository, with its index: what `git index-pack` does, in bounded memory and time. Deltas that are, or need, an
 * object larger than `MAX_BASE_BYTES` are left out of the index. Resolves with how many were. Throws as `scanPack` does.
 */
export async function storePack(gitdir: string, pack: Buffer): Promise<{leftOut: number}> {
  const budget = createUnpackBudget()
  const scanned = await scanPack(pack, budget)
  const {resolved, leftOut} = await resolveDeltas(pack, scanned, budget)
  const folder = join(gitdir, 'objects', 'pack')
  const name = `pack-${scanned.checksum.toString('hex')}`
  await mkdir(folder, {recursive: true})
  await writeFile(join(folder, `${name}.pack`), pack)
  await writeFile(join(folder, `${name}.idx`), encodePackIndex([...scanned.whole, ...resolved], scanned.checksum))
  return {leftOut}
}
