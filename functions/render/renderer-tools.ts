import {execFile} from 'node:child_process'
import {promisify} from 'node:util'
import {DrawbridgeError, describeError} from '#shared/model/drawbridge-error.ts'

/** The renderers as programs: absolute paths, and the versions that they state (part of every render's inputs). */
export interface RendererTools {
  kubectl: string
  helm: string
  versions: {kustomize: string; helm: string}
}

/** Why there is nothing to render with. */
export class RendererToolsError extends DrawbridgeError<'TOOL_MISSING' | 'TOOL_BROKEN' | 'TOOL_TOO_OLD'> {}

const run = promisify(execFile)

/** Asks both programs for their versions, at once. Rejects with `RendererToolsError` TOOL_BROKEN where one can't be run or answers something else. */
export async function loadRendererTools(paths: {kubectl: string; helm: string}): Promise<RendererTools> {
  const [kustomize, helm] = await Promise.all([
    askVersion(paths.kubectl, ['version', '--client', '-o', 'json'], /"kustomizeVersion": "([^"]+)"/),
    askVersion(paths.helm, ['version', '--template', '{{.Version}}'], /^(v\d+\.\d+\.\d+\S*)/),
  ])
  return {...paths, versions: {kustomize, helm}}
}

async function askVersion(program: string, args: string[], pattern: RegExp): Promise<string> {
  let answer: string
  try {
    const options = {env: {HOME: '/nonexistent', PATH: ''}, timeout: 20_000, maxBuffer: 1024 * 1024}
    answer = (await run(program, args, options)).stdout.trim()
  } catch (cause) {
    throw new RendererToolsError('TOOL_BROKEN', `${program} cannot be run: ${describeError(cause)}`, {program}, {cause})
  }
  const version = pattern.exec(answer)?.[1]
  if (version === undefined)
    throw new RendererToolsError('TOOL_BROKEN', `${program} did not tell its version`, {program})
  return version
}
