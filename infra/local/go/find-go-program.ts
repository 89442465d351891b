import {access} from 'node:fs/promises'
import {join} from 'node:path'
import {type BuildOptions, buildGoProgram} from './build-go-program.ts'
import type {GoProgram} from './go-program.ts'
import {hashGoSources} from './hash-go-sources.ts'

export interface FindGoProgramOptions extends Omit<BuildOptions, 'file'> {
  /** Where programs that are built are kept, each as `<name>-<hash of its sources>/<file>`. */
  cacheDir: string
  /** Folder of programs that came with the package, laid out as the cache is; it may be absent. */
  prebuiltDir?: string
}

/** Finds what is built of exactly these sources, or builds it now. Gives its path. Throws as `buildGoProgram` does. */
export async function findGoProgram(program: GoProgram, options: FindGoProgramOptions): Promise<string> {
  const {cacheDir, prebuiltDir, ...build} = options
  const place = await placeOf(program)
  for (const folder of [prebuiltDir, cacheDir]) {
    if (folder !== undefined && (await isReadable(join(folder, place)))) return join(folder, place)
  }
  const file = join(cacheDir, place)
  await buildGoProgram(program, {...build, file})
  return file
}

/** Where a program is within the cache: its sources are in its path, so that others are never taken for it. */
export async function placeOf(program: GoProgram): Promise<string> {
  return join(`${program.name}-${await hashGoSources(program)}`, program.file)
}

async function isReadable(file: string): Promise<boolean> {
  try {
    await access(file)
    return true
  } catch {
    return false
  }
}
