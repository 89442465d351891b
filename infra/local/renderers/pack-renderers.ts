import {constants} from 'node:fs'
import {copyFile, mkdir, rename, rm} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {placeOf} from '../go/find-go-program.ts'
import type {RendererModules} from './find-renderers.ts'
import {RENDERER_NAMES, rendererProgram} from './renderer-programs.ts'

/** Puts the renderers where `findRenderers` looks for those of a package; all else in that folder goes. Gives the files. */
export async function packRenderers(modules: RendererModules, folder: string): Promise<string[]> {
  // What is packed may have been found in the folder itself.
  const draft = `${folder}.${process.pid}.new`
  const places: string[] = []
  try {
    for (const name of RENDERER_NAMES) {
      const place = await placeOf(rendererProgram(name))
      await mkdir(dirname(join(draft, place)), {recursive: true})
      await copyFile(modules[name], join(draft, place), constants.COPYFILE_FICLONE)
      places.push(place)
    }
    await rm(folder, {recursive: true, force: true})
    await rename(draft, folder)
  } finally {
    await rm(draft, {recursive: true, force: true})
  }
  return places.map((place) => join(folder, place))
}
