import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import type {Command} from 'commander'
import {stringify} from 'yaml'
import {octalTag} from '#functions/render/read-yaml.ts'
import {type RenderedApp, renderForCluster} from '#functions/render/render-for-cluster.ts'
import {cacheDirOf} from '#infra/local/cache-dir.ts'
import {findRendererTools} from '#infra/local/find-renderer-tools.ts'
import {repositoryUrl} from '#infra/local/install-hook.ts'
import {parseBundle} from '#shared/bundle/unpack-bundle.ts'
import {createGitSource} from '#shared/git/create-git-source.ts'
import type {Manifest} from '#shared/model/manifest.ts'
import type {Finding} from '#shared/model/outcome.ts'
import {fullRef} from '#shared/model/revision.ts'
import {systemClock} from '#shared/ports/clock.ts'
import {CliError, type CliIo, type ExitStatus} from './io.ts'

interface RenderOptions {
  repo: string
  ref: string
  cluster: string
  app?: string
  output: 'yaml' | 'json'
}

/** Adds `drawbridge render`: exit status 0 where everything rendered, 1 where something did not. */
export function addRenderCommand(program: Command, io: CliIo, done: (status: ExitStatus) => void): void {
  program
    .command('render')
    .description('print what the render function would publish for a cluster, offline; the same bytes every time')
    .option('--repo <dir>', 'a git repository, bare or not; what is committed counts', '.')
    .option('--ref <ref>', 'branch, tag, full ref or full commit id', 'HEAD')
    .requiredOption('--cluster <name>', 'a Cluster of its drawbridge.yaml')
    .option('--app <name>', 'only this app')
    .option('-o, --output <format>', 'yaml or json (one object a line)', parseFormat, 'yaml')
    .action(async (options: RenderOptions) => {
      const {apps, findings} = await renderCommitted(io, options)
      for (const {bundle} of apps) {
        for (const manifest of bundle === undefined ? [] : parseBundle(bundle.bytes).manifests) {
          io.out(options.output === 'json' ? `${JSON.stringify(manifest)}\n` : `---\n${formatManifest(manifest)}`)
        }
      }
      const all = [...findings, ...apps.flatMap((app) => app.findings)]
      for (const finding of all) io.err(`${formatFinding(finding)}\n`)
      if (all.length === 0 && apps.length === 0) io.err(`no app is for cluster ${options.cluster}\n`)
      done(all.length === 0 ? 0 : 1)
    })
}

/** As YAML that Kubernetes' tools read back as it was: they know version 1.1, in which a plain yes is a boolean. */
function formatManifest(manifest: Manifest): string {
  return stringify(manifest, {
    version: '1.1',
    customTags: (tags) => [octalTag, ...tags],
    lineWidth: 0,
    aliasDuplicateObjects: false,
  })
}

async function renderCommitted(io: CliIo, options: RenderOptions): Promise<{apps: RenderedApp[]; findings: Finding[]}> {
  const cacheDir = cacheDirOf(io.env)
  const tools = await findRendererTools({env: io.env, cacheDir})
  const repository = repositoryUrl(resolve(io.cwd, options.repo))
  const git = createGitSource({cacheDir: join(cacheDir, 'git'), clock: systemClock})
  const head = await resolveHead(git, repository, options.ref)
  if (head === undefined)
    throw new CliError(
      `there is no ${options.ref} in ${resolve(io.cwd, options.repo)}: name a branch, a tag or a full ref with --ref`,
      1,
    )
  const workDir = await mkdtemp(join(tmpdir(), 'drawbridge-render-'))
  try {
    const tree = await git.fetchTree(repository, head.commit, head.ref)
    try {
      return await renderForCluster({
        tree,
        repository,
        ref: head.ref,
        cluster: options.cluster,
        ...(options.app !== undefined && {app: options.app}),
        tools,
        workDir,
      })
    } finally {
      await tree.close()
    }
  } finally {
    await rm(workDir, {recursive: true, force: true})
  }
}

async function resolveHead(
  git: ReturnType<typeof createGitSource>,
  repository: string,
  ref: string,
): Promise<{ref: string; commit: string} | undefined> {
  if (/^[0-9a-f]{40}$/.test(ref)) {
    const head = await git.resolveRef(repository, 'HEAD')
    return {ref: head === 'absent' ? 'refs/heads/main' : head.ref, commit: ref}
  }
  for (const candidate of ref === 'HEAD' ? ['HEAD'] : [fullRef(ref), `refs/tags/${ref}`]) {
    const head = await git.resolveRef(repository, candidate)
    if (head !== 'absent') return head
  }
  return undefined
}

/** One finding as a line: where, then what. */
function formatFinding({app, file, line, code, message}: Finding): string {
  const where =
    file === undefined || message.includes(file) ? undefined : `${file}${line === undefined ? '' : `:${line}`}`
  return [app !== undefined && !message.includes(app) ? `app ${app}` : undefined, where, `${code}: ${message}`]
    .filter((part) => part !== undefined)
    .join(': ')
}

function parseFormat(text: string): RenderOptions['output'] {
  if (text === 'yaml' || text === 'json') return text
  throw new CliError(`-o ${text}: use yaml or json`)
}
