import type {Command} from 'commander'
import {createKubeClient} from '#agent/kube/create-kube-client.ts'
import {createDiscovery} from '#agent/kube/discovery.ts'
import {loadKubeconfigEndpoint} from '#agent/kube/load-endpoint.ts'
import {createTransport} from '#agent/kube/send-request.ts'
import {createConcurrencyLimit} from '#agent/limit-concurrency.ts'
import {planObjects} from '#agent/plan-objects.ts'
import {stateTypes} from '#agent/state-types.ts'
import type {RenderedApp} from '#functions/render/render-for-cluster.ts'
import {stringifyExact} from '#shared/bundle/exact-json.ts'
import {parseBundle} from '#shared/bundle/unpack-bundle.ts'
import {formatFinding} from '#shared/model/outcome.ts'
import type {AppChanges, ObjectChange} from './diff/change.ts'
import {type DiffApp, type DiffPorts, diffObjects} from './diff/diff-objects.ts'
import {diffPrune, readInventories} from './diff/diff-prune.ts'
import {printDiff} from './diff/print-diff.ts'
import {findKubeconfig} from './find-kubeconfig.ts'
import {CliError, type CliIo, type ExitStatus} from './io.ts'
import {type CommittedOptions, renderCommitted} from './render-committed.ts'

interface DiffOptions extends CommittedOptions {
  kubeconfig?: string
  agentNamespace: string
  output: 'text' | 'json'
}

const REQUESTS_AT_ONCE = 16

/** Adds `drawbridge diff`: exit status 0 where the cluster is as rendered, 1 where it would change, 2 where that cannot be told. */
export function addDiffCommand(program: Command, io: CliIo, done: (status: ExitStatus) => void): void {
  program
    .command('diff')
    .description('show what would change in a cluster, field by field: a server-side dry run that writes nothing')
    .option('--app <name>', 'only this app')
    .option('--kubeconfig <file>', 'whose current context is the cluster (default: KUBECONFIG, then ~/.kube/config)')
    .option('--cluster <name>', 'a Cluster of its drawbridge.yaml (default: the only one)')
    .option('--repo <dir>', 'a git repository, bare or not; what is committed counts', '.')
    .option('--ref <ref>', 'branch, tag, full ref or full commit id', 'HEAD')
    .option('--agent-namespace <name>', 'where the agent keeps its inventories', 'drawbridge-system')
    .option('-o, --output <format>', 'text or json', parseFormat, 'text')
    .addHelpText(
      'after',
      `
Objects are listed in the order of the apply: + create, ~ update, ± make anew, - prune, > hook, = kept though no longer declared, ! refused.
No value of a Secret is shown, in no format. Exit status: 0 nothing would change, 1 something would, 2 an error.`,
    )
    .action(async (options: DiffOptions) => {
      const {status, ...found} = await diffCluster(io, options)
      if (options.output === 'json') io.out(`${stringifyExact(found, 2)}\n`)
      else printDiff(io, found.apps)
      done(status)
    })
}

async function diffCluster(
  io: CliIo,
  options: DiffOptions,
): Promise<{cluster: string; revision: string; apps: AppChanges[]; status: ExitStatus}> {
  const kubeconfig = await findKubeconfig(io, options.kubeconfig)
  // An object may have moved from one app to another.
  const {app: _, ...everyApp} = options
  const {cluster, apps, findings, revision} = await renderCommitted(io, everyApp)
  const wanted = apps.filter(({app}) => options.app === undefined || app === options.app)
  const problems = [...findings, ...wanted.flatMap((app) => app.findings)]
  for (const finding of problems) io.err(`${formatFinding(finding)}\n`)
  for (const warning of wanted.flatMap(({warnings}) => warnings)) io.err(`warning: ${formatFinding(warning)}\n`)
  if (cluster === undefined) throw new CliError('nothing was compared: drawbridge.yaml does not say what to render')
  if (wanted.length === 0 && options.app !== undefined) {
    const known = apps.map(({app}) => app).join(', ') || 'none'
    throw new CliError(`there is no app ${options.app} for cluster ${cluster}; known are ${known}`)
  }
  const limit = createConcurrencyLimit(REQUESTS_AT_ONCE)
  const kube = createKubeClient(createTransport(await loadKubeconfigEndpoint(kubeconfig), () => limit.throttled()))
  const ports: DiffPorts = {kube, discovery: createDiscovery(kube), limit}
  const warn = (line: string) => io.err(`${line}\n`)
  try {
    const inventories = await readInventories(ports, options.agentNamespace, warn)
    const planned = await planAll(ports, apps)
    const compared: AppChanges[] = []
    for (const app of wanted) {
      const plan = planned.get(app.app)
      if (plan === undefined) continue
      const context = {sync: app.spec.sync, agentNamespace: options.agentNamespace, warn}
      const changes = [
        ...(await namespaceChange(ports, app, plan)),
        ...(await diffObjects(ports, plan)),
        ...(await diffPrune(ports, plan, inventories, context)),
      ]
      compared.push({app: app.app, changes})
    }
    const actions = new Set(compared.flatMap(({changes}) => changes.map(({action}) => action)))
    const differs = actions.has('create') || actions.has('update') || actions.has('recreate') || actions.has('prune')
    const status = problems.length > 0 || actions.has('refused') ? 2 : differs ? 1 : 0
    return {cluster, revision, apps: compared, status}
  } finally {
    kube.close()
  }
}

async function planAll(ports: DiffPorts, apps: readonly RenderedApp[]): Promise<Map<string, DiffApp>> {
  const declared = new Map<string, string[]>()
  const planned = new Map<string, DiffApp>()
  for (const {app: name, spec, bundle} of apps) {
    if (bundle === undefined) continue
    const {manifests} = parseBundle(bundle.bytes)
    const {discovery} = ports
    const {digest} = bundle.address
    const plan = await planObjects(manifests, {app: name, namespace: spec.namespace, discovery, bundle: digest})
    const keys = [plan.objects, plan.once, plan.hooks].flatMap((map) => [...map.keys()])
    for (const key of [...keys, ...plan.untouched]) declared.set(key, [...(declared.get(key) ?? []), name])
    const made = [...plan.objects.values()].filter(({ref}) => ref.kind === 'Namespace' && ref.group === '')
    const asked = spec.createNamespace && spec.namespace !== undefined ? [spec.namespace] : []
    planned.set(name, {
      name,
      sync: spec.sync,
      planned: plan,
      ownNamespaces: new Set([...made.map(({ref}) => ref.name), ...asked]),
      declaredBy: (key) => declared.get(key) ?? [],
    })
  }
  return planned
}

/** The namespace that `createNamespace` makes before the first stage, where it is not declared itself. */
async function namespaceChange(ports: DiffPorts, {spec}: RenderedApp, {planned}: DiffApp): Promise<ObjectChange[]> {
  const {namespace: name} = spec
  if (!spec.createNamespace || name === undefined || planned.objects.has(`/Namespace//${name}`)) return []
  const found = await ports.kube.get(stateTypes.namespace, {namespace: '', name}, 'metadata')
  const ref = {group: '', kind: 'Namespace', namespace: '', name}
  const reason = 'createNamespace asks for it'
  const first = planned.steps.find(({phase, stages}) => phase !== 'SyncFail' && stages.length > 0)
  const {phase = 'Sync', wave = 0} = first ?? {}
  return found === 'absent' ? [{action: 'create', ref, stage: 1, phase, wave, fields: [], reason}] : []
}

function parseFormat(text: string): DiffOptions['output'] {
  if (text === 'text' || text === 'json') return text
  throw new CliError(`-o ${text}: use json, or nothing for text`)
}
