import {access} from 'node:fs/promises'
import {delimiter, join, resolve} from 'node:path'
import {CliError, type CliIo} from './io.ts'

/** Finds the kubeconfig as kubectl does: the one that is named, else KUBECONFIG, else ~/.kube/config. Throws `CliError`. */
export async function findKubeconfig(io: CliIo, named: string | undefined): Promise<string> {
  if (named !== undefined) {
    const file = resolve(io.cwd, named)
    if (!(await isThere(file))) throw new CliError(`--kubeconfig ${file}: there is no such file`)
    return file
  }
  const fromEnvironment = (io.env.KUBECONFIG ?? '').split(delimiter).filter((file) => file !== '')
  const candidates =
    fromEnvironment.length > 0
      ? fromEnvironment.map((file) => resolve(io.cwd, file))
      : io.env.HOME === undefined
        ? []
        : [join(io.env.HOME, '.kube', 'config')]
  for (const file of candidates) if (await isThere(file)) return file
  throw new CliError(
    `no kubeconfig says which cluster to compare with (looked for ${candidates.join(', ') || 'KUBECONFIG'}): name one with --kubeconfig`,
  )
}

async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}
