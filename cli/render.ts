import type {Command} from 'commander'
import {stringifyExact} from '#shared/bundle/exact-json.ts'
import {parseBundle} from '#shared/bundle/unpack-bundle.ts'
import type {Manifest} from '#shared/model/manifest.ts'
import {formatFinding} from '#shared/model/outcome.ts'
import {formatYaml} from './format-yaml.ts'
import {CliError, type CliIo, type ExitStatus} from './io.ts'
import {type CommittedOptions, renderCommitted} from './render-committed.ts'

interface RenderOptions extends CommittedOptions {
  output: 'yaml' | 'json'
}

/** Adds `drawbridge render`: exit status 0 where everything rendered, 1 where something did not. */
export function addRenderCommand(program: Command, io: CliIo, done: (status: ExitStatus) => void): void {
  program
    .command('render')
    .description('print what the render function would publish for a cluster, offline; the same bytes every time')
    .option('--repo <dir>', 'a git repository, bare or not; what is committed counts', '.')
    .option('--ref <ref>', 'branch, tag, full ref or full commit id', 'HEAD')
    .option('--cluster <name>', 'a Cluster of its drawbridge.yaml (default: the only one)')
    .option('--app <name>', 'only this app')
    .option('-o, --output <format>', 'yaml or json (one object a line)', parseFormat, 'yaml')
    .action(async (options: RenderOptions) => {
      const {cluster, apps, findings} = await renderCommitted(io, options)
      for (const {app, bundle} of apps) {
        for (const manifest of bundle === undefined ? [] : parseBundle(bundle.bytes).manifests) {
          const isJson = options.output === 'json'
          io.out(isJson ? `${stringifyExact(manifest)}\n` : `---\n# app: ${app}\n${formatManifest(manifest)}`)
        }
      }
      const all = [...findings, ...apps.flatMap((app) => app.findings)]
      for (const finding of all) io.err(`${formatFinding(finding)}\n`)
      for (const warning of apps.flatMap((app) => app.warnings)) io.err(`warning: ${formatFinding(warning)}\n`)
      if (all.length === 0 && apps.length === 0) io.err(`no app is for cluster ${cluster}\n`)
      done(all.length === 0 ? 0 : 1)
    })
}

/** As YAML that Kubernetes' tools read back as it was. */
export function formatManifest(manifest: Manifest): string {
  return formatYaml(manifest)
}

function parseFormat(text: string): RenderOptions['output'] {
  if (text === 'yaml' || text === 'json') return text
  throw new CliError(`-o ${text}: use yaml or json`)
}
