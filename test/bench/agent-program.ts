import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {build} from 'esbuild'
import {MEMORY} from '#infra/agent/agent-install.ts'
import {buildBundles} from '#infra/build-bundles.ts'
import type {AgentProgram} from '#infra/local/start-agent.ts'

const root = join(import.meta.dirname, '..', '..')

export interface AgentProgramOptions {
  /** Folder to build into. */
  outDir: string
  /** Run the sources in place of the bundle, with Node's defaults. */
  fromSources: boolean
  /** Further arguments of Node. */
  nodeArguments: readonly string[]
}

/** Builds the agent, to be run by the flags that its image and its Deployment start Node with, and counting its requests. */
export async function buildAgentProgram({
  outDir,
  fromSources,
  nodeArguments,
}: AgentProgramOptions): Promise<AgentProgram> {
  const observing = ['--import', await buildObserver(outDir), ...nodeArguments]
  if (fromSources) return {nodeArguments: observing}
  const [bundle] = await buildBundles({root, outDir, only: ['agent']})
  if (bundle === undefined) throw new Error('the build made no agent')
  const containerfile = await readFile(join(root, 'infra', 'agent', 'Containerfile'), 'utf8')
  const entrypoint: unknown = JSON.parse(/^ENTRYPOINT (\[.*\])$/m.exec(containerfile)?.[1] ?? 'null')
  if (!Array.isArray(entrypoint)) throw new Error('infra/agent/Containerfile has no ENTRYPOINT to take the flags from')
  const flags = entrypoint.map(String).filter((word) => word.startsWith('--'))
  return {
    file: bundle.file,
    nodeArguments: [...flags, `--max-old-space-size=${MEMORY.oldSpaceMebibytes}`, ...observing],
  }
}

// Node's own stripping of types would weigh more than all that is observed.
async function buildObserver(outDir: string): Promise<string> {
  const outfile = join(outDir, 'observe-agent.mjs')
  const entry = join(import.meta.dirname, 'observe-agent.ts')
  await build({entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'silent'})
  return outfile
}
