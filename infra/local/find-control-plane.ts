import {createHash} from 'node:crypto'
import {constants} from 'node:fs'
import {access, readdir, readFile} from 'node:fs/promises'
import {homedir} from 'node:os'
import {join} from 'node:path'

import {buildControlPlane, controlPlaneBuildFlags} from './build-control-plane.ts'
import {LocalStackError} from './local-stack-error.ts'

/** Paths of the programs that the local stack runs; `etcd` and `kubeApiserver` only where they are not our own. */
export interface ControlPlaneTools {
  program: string
  etcd?: string
  kubeApiserver?: string
}

export interface FindControlPlaneOptions {
  /** Directory of built programs. @default `$XDG_CACHE_HOME/drawbridge`, or `~/.cache/drawbridge` */
  cacheDir?: string
  /** Directory of the Go module to build. @default the one beside this file */
  sourceDir?: string
  env: NodeJS.ProcessEnv
  /** Called with a line for people: what is built or waited for, and for how many seconds now. */
  onProgress: (line: string) => void
  /** Ends a build. */
  signal?: AbortSignal
}

const ownSourceDir = join(import.meta.dirname, 'controlplane')

/**
 * Finds the control plane's programs, building them with the machine's Go if there are none yet (minutes, once).
 *
 * `KUBEBUILDER_ASSETS` supplies etcd and kube-apiserver only: the S3 gateway, the certificates and the other components
 * are always our own program, which is `DRAWBRIDGE_CONTROLPLANE` if set, else the cached build of these very sources,
 * else built now. Throws NO_CONTROL_PLANE (a named program is absent, or nothing can build one), BUILD_FAILED, INTERRUPTED.
 */
export async function findControlPlane(options: FindControlPlaneOptions): Promise<ControlPlaneTools> {
  const {env, sourceDir = ownSourceDir} = options
  const assets = await findAssets(env.KUBEBUILDER_ASSETS)
  const named = env.DRAWBRIDGE_CONTROLPLANE
  if (named) {
    if (await isExecutable(named)) return {program: named, ...assets}
    throw new LocalStackError(
      'NO_CONTROL_PLANE',
      `DRAWBRIDGE_CONTROLPLANE names ${named}, which is not an executable file: correct or unset it`,
    )
  }
  const cacheDir = options.cacheDir ?? join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'drawbridge')
  const program = join(cacheDir, `controlplane-${await hashSources(sourceDir)}`, 'controlplane')
  if (!(await isExecutable(program))) {
    const {onProgress, signal} = options
    await buildControlPlane({sourceDir, program, env, onProgress, ...(signal && {signal})})
  }
  return {program, ...assets}
}

async function findAssets(dir: string | undefined): Promise<Omit<ControlPlaneTools, 'program'>> {
  if (!dir) return {}
  const etcd = join(dir, 'etcd')
  const kubeApiserver = join(dir, 'kube-apiserver')
  for (const file of [etcd, kubeApiserver]) {
    if (!(await isExecutable(file))) {
      throw new LocalStackError(
        'NO_CONTROL_PLANE',
        `KUBEBUILDER_ASSETS is ${dir}, but ${file} is not an executable file: correct or unset it`,
      )
    }
  }
  return {etcd, kubeApiserver}
}

/** Hashes what decides how the built program behaves: sources, module versions, build flags, platform. */
async function hashSources(sourceDir: string): Promise<string> {
  const hash = createHash('sha256')
  const names = (await readdir(sourceDir)).filter((name) => /\.(go|yaml|mod|sum)$/.test(name)).sort()
  for (const name of names) {
    const content = await readFile(join(sourceDir, name))
    hash.update(`${name}\0${content.length}\0`).update(content)
  }
  hash.update([process.platform, process.arch, ...controlPlaneBuildFlags].join('\0'))
  return hash.digest('hex').slice(0, 16)
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
