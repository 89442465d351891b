import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {MEMORY} from '#infra/agent/agent-install.ts'
import {buildBundles} from '#infra/build-bundles.ts'
import type {AgentProgram} from '#infra/local/start-agent.ts'

const root = join(import.meta.dirname, '..', '..')

/** Builds the agent into a folder, to be run by the flags that its image and its Deployment start Node with. */
export async function buildAgentProgram(outDir: string, more: readonly string[]): Promise<Required<AgentProgram>> {
  const [bundle] = await buildBundles({root, outDir, only: ['agent']})
  if (bundle === undefined) throw new Error('the build made no agent')
  const containerfile = await readFile(join(root, 'infra', 'agent', 'Containerfile'), 'utf8')
  const entrypoint: unknown = JSON.parse(/^ENTRYPOINT (\[.*\])$/m.exec(containerfile)?.[1] ?? 'null')
  if (!Array.isArray(entrypoint)) throw new Error('infra/agent/Containerfile has no ENTRYPOINT to take the flags from')
  const flags = entrypoint.map(String).filter((word) => word.startsWith('--'))
  return {
    file: bundle.file,
    nodeArguments: [...flags, `--max-old-space-size=${MEMORY.oldSpaceMebibytes}`, ...more],
  }
}
