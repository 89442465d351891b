import {limits} from '#shared/model/limits.ts'
import type {SourceTree} from '#shared/ports/git-source.ts'
import {readFiles} from './copy-files.ts'
import type {SourceFile} from './list-files.ts'
import {readYaml} from './read-yaml.ts'
import {RenderError} from './render-error.ts'
import type {FoundValue} from './to-manifests.ts'

/** Counts up when plain manifests come to be read in another way: part of a render's inputs. */
export const YAML_RENDERER_VERSION = '1'

/** Reads plain manifests, in this process: nothing of theirs is run. Throws `RenderError`. */
export async function renderYaml(tree: SourceTree, files: readonly SourceFile[]): Promise<FoundValue[]> {
  const values = await readFiles(tree, files, (file, bytes) => {
    const text = Buffer.from(bytes).toString('utf8')
    return file.path.endsWith('.json') ? readJson(text, file.path) : readManifestFile(text, file.path)
  })
  const found = values.flat()
  if (found.length > limits.maxObjectsPerBundle) {
    throw new RenderError('INPUT_TOO_LARGE', `the app has more than ${limits.maxObjectsPerBundle} objects`)
  }
  return found
}

function readManifestFile(text: string, file: string): FoundValue[] {
  return readYaml(text, file).map(({value, line}, index) => ({value, place: {file, line}, position: index + 1}))
}

function readJson(text: string, file: string): FoundValue[] {
  try {
    return [{value: JSON.parse(text), place: {file}, position: 1}]
  } catch (cause) {
    const message = cause instanceof Error ? cause.message.replace(/, .*is not valid JSON$/s, '') : 'malformed'
    throw new RenderError('YAML_INVALID', `${file} is not JSON: ${message}`, {file})
  }
}
