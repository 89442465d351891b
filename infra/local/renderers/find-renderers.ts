import {open} from 'node:fs/promises'
import {join, resolve} from 'node:path'
import {cacheDirOf} from '../cache-dir.ts'
import {findGoProgram} from '../go/find-go-program.ts'
import {LocalStackError} from '../local-stack-error.ts'
import {RENDERER_NAMES, type RendererName, rendererProgram} from './renderer-programs.ts'

/** Absolute paths of the renderers' WebAssembly modules. */
export type RendererModules = Readonly<Record<RendererName, string>>

export interface FindRenderersOptions {
  env: NodeJS.ProcessEnv
  /** Called with a line for people: what is built or waited for, and for how many seconds now. */
  onProgress: (line: string) => void
  /** Ends a build. */
  signal?: AbortSignal
  /** Directory of built modules. @default `$XDG_CACHE_HOME/drawbridge`, or `~/.cache/drawbridge` */
  cacheDir?: string
  /** Directory of the Go modules to build. @default those of the render function */
  sourceDir?: string
  /** Directory of modules that came with the package. @default `dist/renderers` */
  prebuiltDir?: string
}

/** Where the build puts the renderers of a package. */
export const prebuiltRenderers = join(import.meta.dirname, '..', '..', '..', 'dist', 'renderers')

/**
 * Finds the renderers: in the folder that `DRAWBRIDGE_RENDERERS` names; else those of the package and then of the cache, where they
 * are built of these very sources; else builds them with the machine's Go (minutes, once), one after the other.
 * Throws `LocalStackError` NO_RENDERERS (a named one is absent, or nothing can build one), BUILD_FAILED, INTERRUPTED.
 */
export async function findRenderers(options: FindRenderersOptions): Promise<RendererModules> {
  const {env, onProgress, signal, sourceDir, cacheDir = cacheDirOf(env), prebuiltDir = prebuiltRenderers} = options
  if (env.DRAWBRIDGE_RENDERERS) return findNamed(resolve(env.DRAWBRIDGE_RENDERERS))
  const find = (name: RendererName) =>
    findGoProgram(rendererProgram(name, sourceDir), {cacheDir, prebuiltDir, env, onProgress, ...(signal && {signal})})
  return {kustomize: await find('kustomize'), helm: await find('helm')}
}

async function findNamed(folder: string): Promise<RendererModules> {
  for (const name of RENDERER_NAMES) {
    if (!(await isModule(join(folder, `${name}.wasm`)))) {
      throw new LocalStackError(
        'NO_RENDERERS',
        `DRAWBRIDGE_RENDERERS names ${folder}, which holds no WebAssembly module ${name}.wasm: correct or unset it`,
      )
    }
  }
  return {kustomize: join(folder, 'kustomize.wasm'), helm: join(folder, 'helm.wasm')}
}

async function isModule(file: string): Promise<boolean> {
  const handle = await open(file).catch(() => undefined)
  if (handle === undefined) return false
  try {
    const {buffer} = await handle.read(Buffer.alloc(4), 0, 4, 0)
    return buffer.toString('latin1') === '\0asm'
  } catch (error) {
    // A folder can be opened, but not read.
    if (error instanceof Error && 'code' in error && error.code === 'EISDIR') return false
    throw error
  } finally {
    await handle.close()
  }
}
