import {constants} from 'node:fs'
import {access} from 'node:fs/promises'
import {join} from 'node:path'
import {cacheDirOf} from './cache-dir.ts'
import {findGoProgram} from './go/find-go-program.ts'
import type {GoProgram} from './go/go-program.ts'
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

const kubernetesVersion = 'v1.36.3'

/** The control plane as a program to build. */
export function controlPlaneProgram(sourceDir: string = join(import.meta.dirname, 'controlplane')): GoProgram {
  return {
    name: 'controlplane',
    title: 'the control plane',
    sourceDir,
    file: 'controlplane',
    flags: [
      '-trimpath',
      '-buildvcs=false',
      `-ldflags=-s -w -X k8s.io/component-base/version.gitVersion=${kubernetesVersion} -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36`,
    ],
    usualMinutes: 10,
    absentCode: 'NO_CONTROL_PLANE',
    choices: `To have a control plane, do one of these:
  - install Go 1.26 or newer, with access to the Go modules, and try again;
  - set DRAWBRIDGE_CONTROLPLANE to a control plane program built from the same sources on another machine.
KUBEBUILDER_ASSETS and an existing kubeconfig replace only etcd and the API server; the S3 gateway is in this program.`,
  }
}

/**
 * Finds the control plane's programs, building them with the machine's Go if there are none yet (minutes, once).
 *
 * `KUBEBUILDER_ASSETS` supplies etcd and kube-apiserver only: the S3 gateway, the certificates and the other components
 * are always our own program, which is `DRAWBRIDGE_CONTROLPLANE` if set, else the cached build of these very sources,
 * else built now. Throws NO_CONTROL_PLANE (a named program is absent, or nothing can build one), BUILD_FAILED, INTERRUPTED.
 */
export async function findControlPlane(options: FindControlPlaneOptions): Promise<ControlPlaneTools> {
  const {env, sourceDir, onProgress, signal, cacheDir = cacheDirOf(env)} = options
  const assets = await findAssets(env.KUBEBUILDER_ASSETS)
  const named = env.DRAWBRIDGE_CONTROLPLANE
  if (named) {
    if (await isExecutable(named)) return {program: named, ...assets}
    throw new LocalStackError(
      'NO_CONTROL_PLANE',
      `DRAWBRIDGE_CONTROLPLANE names ${named}, which is not an executable file: correct or unset it`,
    )
  }
  const program = await findGoProgram(controlPlaneProgram(sourceDir), {
    cacheDir,
    env,
    onProgress,
    ...(signal && {signal}),
  })
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

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
