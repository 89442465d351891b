import {cp, mkdir, readdir, readFile, writeFile} from 'node:fs/promises'
import {basename, dirname, join} from 'node:path'
import {parse} from 'yaml'
import {z} from 'zod'
import {LocalStackError} from '../local-stack-error.ts'
import {listReplacements} from './hash-go-sources.ts'
import {type RunGoOptions, runGo} from './run-go.ts'

/** A program's own changes to modules of others: each `from` stands exactly once in its file. */
const patchFile = 'patches.yaml'
const patches = z.array(
  z.strictObject({
    module: z.string(),
    file: z.string(),
    edits: z.array(z.strictObject({from: z.string(), to: z.string()})),
  }),
)

/**
 * Gives the folder to build in: the program's own or, where a `patches.yaml` lies in it, a copy in `workDir` whose go.mod puts changed
 * copies in place of the modules. Paths in it are relative, so that the same is built everywhere.
 * Throws `LocalStackError` BUILD_FAILED where a change fits no longer, and `GoError`.
 */
export async function patchModules(sourceDir: string, workDir: string, place: RunGoOptions): Promise<string> {
  const text = await readFile(join(sourceDir, patchFile), 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return sourceDir
  const wanted = patches.parse(parse(text))
  const copy = join(workDir, basename(sourceDir))
  for (const folder of [sourceDir, ...(await listReplacements(sourceDir))]) {
    await cp(folder, join(workDir, basename(folder)), {recursive: true})
  }
  for (const module of new Set(wanted.map((patch) => patch.module))) {
    const {Dir: original} = JSON.parse(await runGo(['mod', 'download', '-json', module], place)) as {Dir: string}
    const patched = join(workDir, 'patched', module)
    await copyModule(original, patched)
    for (const patch of wanted) if (patch.module === module) await patchFileOf(patched, patch)
    await runGo(['mod', 'edit', '-replace', `${module}=../patched/${module}`], {...place, sourceDir: copy})
  }
  return copy
}

async function patchFileOf(folder: string, {module, file, edits}: z.infer<typeof patches>[number]): Promise<void> {
  const path = join(folder, file)
  let text = await readFile(path, 'utf8')
  for (const [index, {from, to}] of edits.entries()) {
    const [before, after, ...more] = text.split(from)
    if (before === undefined || after === undefined || more.length > 0) {
      const what = `edit ${index + 1} of ${file} in module ${module}`
      throw new LocalStackError(
        'BUILD_FAILED',
        `${patchFile}: the text of ${what} does not stand there exactly once: write the edit anew for this version`,
      )
    }
    text = before + to + after
  }
  await writeFile(path, text)
}

/** Go's copy may be read only, and so would be a plain copy of it. Tests and their data are not built. */
async function copyModule(from: string, to: string): Promise<void> {
  const entries = await readdir(from, {withFileTypes: true, recursive: true})
  for (const entry of entries) {
    if (!entry.isFile() || entry.name.endsWith('_test.go')) continue
    const path = join(entry.parentPath, entry.name)
    const target = join(to, path.slice(from.length))
    await mkdir(dirname(target), {recursive: true})
    await writeFile(target, await readFile(path))
  }
}
