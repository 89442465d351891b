import {canonicalJson} from '#shared/bundle/canonical-json.ts'
import {parseExactJson} from '#shared/bundle/exact-json.ts'
import {packBundle} from '#shared/bundle/pack-bundle.ts'
import type {App, Cluster} from '#shared/model/app.ts'
import type {BundleAddress} from '#shared/model/desired-state.ts'
import {type Digest, digestOf} from '#shared/model/digest.ts'
import {limits} from '#shared/model/limits.ts'
import type {RepositoryPolicy} from '#shared/model/tracked-repository.ts'
import {findForbiddenObject} from '#shared/tracking/check-objects.ts'
import {ALLOW_PLAINTEXT_SECRETS, checkManifests} from '../check-manifests.ts'
import {dropServerFields} from '../drop-server-fields.ts'
import {expandPath} from '../expand-path.ts'
import {RenderError, type Warning} from '../render-error.ts'
import {joinPath} from '../resolve-path.ts'
import {type FoundManifest, toManifests} from '../to-manifests.ts'
import {type BoxFiles, type FileAnswers, openBoxFiles, type Reads} from './box-files.ts'
import {detectRenderer, type RendererName} from './detect-renderer.ts'
import {cleanWords, explainProblem} from './explain-problem.ts'
import type {ModuleName} from './file-questions.ts'
import {findInConfig} from './find-in-config.ts'
import {findUnstable} from './find-unstable.ts'
import {listManifests} from './list-manifests.ts'
import {nearestPath} from './nearest-path.ts'
import type {ProgramResult} from './program.ts'
import {INPUTS_VERSION, PROGRAMS_DIGEST, RENDERER_VERSIONS} from './renderer-versions.ts'
import {explainEmpty, type LeftOut, warnOfUnused} from './tell-left-out.ts'
import {tellOtherFaults} from './tell-other-faults.ts'

/** An app as it is for one cluster: its bundle, and all that it came of. */
export interface RenderedApp {
  cluster: string
  /** The app's folder, variables filled in. */
  path: string
  inputs: Digest
  /** Absent where they are too many to be worth remembering. */
  reads?: Reads
  address: BundleAddress
  bytes: Uint8Array
  /** What does not keep it from being used. */
  warnings: RenderWarning[]
}

export interface RenderWarning extends Warning {
  code: 'NOT_REPRODUCIBLE' | 'RENDERER_WARNING' | 'SERVER_FIELDS' | 'PATTERN_UNUSED' | 'EMPTY_RENDER'
}

/** What a render works with. */
export interface RenderMeans {
  files: FileAnswers
  clock: Date
  /** What the objects may be. @default anything */
  policy?: RepositoryPolicy | undefined
  /** Runs a program of the box: one that no other tenant's job was given to. */
  run: (name: ModuleName, job: object, files: BoxFiles) => ProgramResult
}

/** What the renderers gave for an app: the same for all clusters whose renderer was asked the same. */
interface Rendered {
  found: FoundManifest[]
  warnings: RenderWarning[]
  reads: Reads
}

/** Makes a function that renders one app for one cluster after the other; clusters that ask the same share a render. Throws `RenderError`, `BundleError`. */
export function createAppRender(app: App, means: RenderMeans): (cluster: Cluster) => RenderedApp {
  const rendered = new Map<string, Rendered>()
  return (cluster) => {
    const files = openBoxFiles(means.files)
    const {name, path, job, leftOut} = prepare(means, files, app, cluster)
    const key = canonicalJson([name, job])
    const shared = rendered.get(key) ?? runJob(means, name, app, job, path)
    rendered.set(key, shared)
    const manifests = checkManifests(shared.found, {
      namespace: app.spec.namespace,
      allowPlaintextSecrets: app.metadata.annotations?.[ALLOW_PLAINTEXT_SECRETS] === 'true',
    })
    const forbidden = findForbiddenObject(means.policy, app.spec, manifests)
    if (forbidden !== undefined) throw new RenderError(forbidden.code, forbidden.message)
    const reads = {...files.reads, ...shared.reads}
    const renderer = {name, version: RENDERER_VERSIONS[name]}
    const inputs = digestInputs(app, cluster, renderer, reads)
    const header = {app: app.metadata.name, cluster: cluster.metadata.name, inputs, renderer}
    const {bytes, address} = packBundle(header, manifests)
    const small = sizeOf(reads) <= limits.maxReadsLength ? {reads} : {}
    const unused = leftOut === undefined ? [] : warnOfUnused(leftOut, path)
    const isEmpty = manifests.length === 0 && !app.spec.sync.allowEmpty
    const warnings = [...shared.warnings, ...unused, ...(isEmpty ? [explainEmpty(path, leftOut)] : [])]
    return {cluster: cluster.metadata.name, path, inputs, ...small, address, bytes, warnings}
  }
}

/** What a renderer is asked for a cluster. What is wrong already is wrong in drawbridge.yaml, unless a file is named. */
function prepare(means: RenderMeans, files: BoxFiles, app: App, cluster: Cluster) {
  try {
    const path = joinPath('', expandPath(app.spec.source.path, cluster))
    const name = detectRenderer(files, app, path)
    return {name, path, ...toJob(name, files, app, cluster, path)}
  } catch (error) {
    if (!(error instanceof RenderError) || error.place.file !== undefined) throw error
    if (error.code === 'INPUT_TOO_LARGE') throw error
    const place = findInConfig(means.files, app, ['spec', 'source', 'path'])
    throw new RenderError(error.code, error.message, place, {cause: error})
  }
}

function sizeOf(reads: Reads): number {
  return Object.entries(reads).reduce((sum, [question, answer]) => sum + question.length + answer.length, 0)
}

function digestInputs(app: App, cluster: Cluster, renderer: {name: string; version: string}, reads: Reads): Digest {
  const {clusters: _, ...spec} = app.spec
  return digestOf(
    canonicalJson({
      version: INPUTS_VERSION,
      programs: PROGRAMS_DIGEST,
      renderer,
      reads,
      app: {metadata: app.metadata, spec},
      cluster: {name: cluster.metadata.name, labels: cluster.metadata.labels ?? {}, spec: cluster.spec},
    }),
  )
}

/** What is asked of the renderer, as the programs in renderers/ read it. */
function toJob(
  name: RendererName,
  files: BoxFiles,
  app: App,
  cluster: Cluster,
  path: string,
): {job: object; leftOut?: LeftOut} {
  switch (name) {
    case 'yaml': {
      const {files: manifests, leftOut} = listManifests(files, path, app.spec.yaml)
      return {job: {renderer: 'yaml', files: manifests}, leftOut}
    }
    case 'kustomize':
      return {job: {renderer: 'kustomize', path}}
    case 'helm': {
      const {helm} = app.spec
      const job = {
        path,
        releaseName: helm?.releaseName ?? app.metadata.name,
        namespace: app.spec.namespace ?? 'default',
        includeCrds: helm?.includeCrds ?? true,
        skipSchemaValidation: helm?.skipSchemaValidation ?? false,
        kubeVersion: cluster.spec.kubeVersion ?? '',
        apiVersions: cluster.spec.apiVersions ?? [],
        valueFiles: (helm?.valueFiles ?? []).map((file) => joinPath(path, expandPath(file, cluster))),
        ...(helm?.values === undefined ? {} : {values: helm.values}),
      }
      return {job}
    }
  }
}

function runJob(means: RenderMeans, name: RendererName, app: App, job: object, path: string): Rendered {
  const files = openBoxFiles(means.files)
  const about = {name, path, files, values: app.spec.helm?.values, valueFiles: valueFilesOf(job)}
  try {
    const module = name === 'helm' ? 'helm' : 'kustomize'
    const result = means.run(module, job, files)
    if (result.problem !== undefined) {
      throw new RenderError(result.problem.code, result.problem.message, result.problem.place)
    }
    const {kept: found, warning} = dropServerFields(toFound(result, name))
    const warnings: RenderWarning[] = result.warnings.map((message) => ({
      code: 'RENDERER_WARNING',
      message: cleanWords(message, about),
    }))
    if (warning !== undefined) warnings.push({code: 'SERVER_FIELDS', message: warning})
    if (result.usedRandom) {
      const again = dropServerFields(toFound(means.run(module, job, files), name)).kept
      const unstable = findUnstable(found, again)
      if (unstable !== undefined && app.spec.helm?.strict === true) {
        const message = `${unstable.message}. It is refused because the App has spec.helm.strict: true`
        throw new RenderError('NOT_REPRODUCIBLE', message, unstable.place)
      }
      if (unstable !== undefined)
        warnings.push({code: 'NOT_REPRODUCIBLE', message: unstable.message, ...unstable.place})
    }
    return {found, warnings, reads: files.reads}
  } catch (error) {
    if (!(error instanceof RenderError)) throw error
    const told = explainValueFile(means, app, about, error) ?? explainProblem(error, about)
    if (name !== 'yaml' || !('files' in job) || !Array.isArray(job.files)) throw told
    throw tellOtherFaults(told, job.files.map(String), about, (rest) =>
      means.run('kustomize', {...job, files: rest}, files),
    )
  }
}

/** An absent value file is named by drawbridge.yaml. */
function explainValueFile(
  means: RenderMeans,
  app: App,
  {valueFiles}: {valueFiles: readonly string[]},
  error: RenderError,
): RenderError | undefined {
  const {file} = error.place
  const index = error.code !== 'PATH_NOT_FOUND' || file === undefined ? -1 : valueFiles.indexOf(file)
  if (index < 0 || file === undefined) return undefined
  const nearest = nearestPath(openBoxFiles(means.files), file)
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
  const named = app.spec.helm?.valueFiles?.[index] ?? file
  const message = `spec.helm.valueFiles: it names ${named}, and there is no ${file}${hint}`
  const place = findInConfig(means.files, app, ['spec', 'helm', 'valueFiles', index])
  return new RenderError(error.code, message, place, {cause: error})
}

function valueFilesOf(job: object): string[] {
  return 'valueFiles' in job && Array.isArray(job.valueFiles) ? job.valueFiles.map(String) : []
}

function toFound(result: ProgramResult, name: RendererName): FoundManifest[] {
  const positions = new Map<string | undefined, number>()
  return toManifests(
    result.objects.map(({json, place}) => {
      const file = place.file
      const position = (positions.get(file) ?? 0) + 1
      positions.set(file, position)
      // Lines of what a template became are not those of the file.
      return {value: parseExactJson(json), place: name === 'yaml' ? place : {file}, position}
    }),
  )
}
