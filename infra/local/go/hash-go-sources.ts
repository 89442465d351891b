import {createHash} from 'node:crypto'
import {readdir, readFile} from 'node:fs/promises'
import {join, relative} from 'node:path'
import type {GoProgram} from './go-program.ts'

/**
 * Hashes what decides what is built: the sources of the module and of the folders that its go.mod puts in place of other modules,
 * the versions of the modules, the flags, the platform and the finish. 16 hex digits; the same on every machine for one target.
 */
export async function hashGoSources({sourceDir, flags, target, finish}: GoProgram): Promise<string> {
  const hash = createHash('sha256')
  for (const folder of [sourceDir, ...(await listReplacements(sourceDir))]) {
    for (const file of await listSources(folder)) {
      const content = await readFile(file)
      hash.update(`${relative(sourceDir, file)}\0${content.length}\0`).update(content)
    }
  }
  const platform = target === undefined ? [process.platform, process.arch] : [target.GOOS, target.GOARCH]
  hash.update([...platform, ...flags, ...(finish === undefined ? [] : [finish.version])].join('\0'))
  return hash.digest('hex').slice(0, 16)
}

// https://go.dev/ref/mod#go-mod-file-replace: a replacement that is a folder begins with ./ or ../
/** The folders that a module's go.mod puts in place of other modules. */
export async function listReplacements(sourceDir: string): Promise<string[]> {
  const goMod = await readFile(join(sourceDir, 'go.mod'), 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  })
  const paths = goMod.split('\n').map((line) => /\s=>\s+(\.{1,2}\/\S+)/.exec(line.replace(/\/\/.*$/, ''))?.[1])
  return paths.filter((path) => path !== undefined).map((path) => join(sourceDir, path))
}

async function listSources(folder: string): Promise<string[]> {
  const entries = await readdir(folder, {withFileTypes: true, recursive: true})
  return entries
    .filter(
      (entry) => entry.isFile() && /\.(go|s|yaml|json|mod|sum)$/.test(entry.name) && !entry.name.endsWith('_test.go'),
    )
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}
