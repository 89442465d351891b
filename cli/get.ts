import type {Command} from 'commander'
import type {ClusterStatus} from '#shared/model/cluster-status.ts'
import {shortRevision} from './format-revision.ts'
import type {CliIo, ExitStatus} from './io.ts'
import {type BridgeOptions, openBridge} from './open-bridge.ts'
import {type Column, formatAge, type OutputFormat, parseOutputFormat, printRows} from './print-rows.ts'
import {type AppRow, appRows, readClusterStatuses} from './read-status.ts'

interface GetOptions extends BridgeOptions {
  output: OutputFormat
  header: boolean
  cluster?: string
}

/** Adds `drawbridge get apps|clusters`. */
export function addGetCommand(program: Command, io: CliIo, done: (status: ExitStatus) => void): void {
  const get = program.command('get').description('list what the bridge knows')
  get
    .command('apps [NAME]')
    .alias('app')
    .description('apps with their revision, health and drift, per cluster')
    .option('--cluster <name>', 'only this cluster')
    .option('-o, --output <format>', 'json, yaml, wide or name', parseOutputFormat, 'table')
    .option('--no-header', 'no header line')
    .option('--state <dir>', 'state directory of a local bridge')
    .option('--bucket <name>', 'bucket of a bridge on AWS')
    .action(async (name: string | undefined, options: GetOptions) => {
      done(showApps(io, await readClusterStatuses(await openBridge(io, options)), name, options))
    })
  get
    .command('clusters [NAME]')
    .alias('cluster')
    .description('clusters with the version they run and when they were last heard of')
    .option('-o, --output <format>', 'json, yaml, wide or name', parseOutputFormat, 'table')
    .option('--no-header', 'no header line')
    .option('--state <dir>', 'state directory of a local bridge')
    .option('--bucket <name>', 'bucket of a bridge on AWS')
    .action(async (name: string | undefined, options: GetOptions) => {
      const statuses = await readClusterStatuses(await openBridge(io, options))
      const rows = statuses.filter((status) => name === undefined || status.cluster === name)
      if (name !== undefined && rows.length === 0) {
        tellUnknown(
          io,
          `cluster ${name}`,
          statuses.map(({cluster}) => cluster),
          options.output,
        )
        return done(1)
      }
      printRows(io, {
        rows,
        columns: clusterColumns(new Date()),
        format: options.output,
        header: options.header,
        name: (row) => row.cluster,
      })
      done(0)
    })
}

/** Lists apps; 1 where there is none of that name, or no such cluster. */
export function showApps(
  io: CliIo,
  statuses: readonly ClusterStatus[],
  name: string | undefined,
  options: Pick<GetOptions, 'output' | 'header' | 'cluster'>,
): ExitStatus {
  const ofCluster = (cluster: string): boolean => options.cluster === undefined || cluster === options.cluster
  const clusters = statuses.map(({cluster}) => cluster)
  if (options.cluster !== undefined && !clusters.includes(options.cluster)) {
    tellUnknown(io, `cluster ${options.cluster}`, clusters, options.output)
    return 1
  }
  const all = appRows(statuses).filter(({cluster}) => ofCluster(cluster))
  const rows = all.filter(({app}) => name === undefined || app.name === name)
  if (name !== undefined && rows.length === 0) {
    const inCluster = options.cluster === undefined ? '' : ` in cluster ${options.cluster}`
    tellUnknown(io, `app ${name}${inCluster}`, [...new Set(all.map(({app}) => app.name))], options.output)
    return 1
  }
  printRows(io, {
    rows,
    columns: appColumns(rows),
    format: options.output,
    header: options.header,
    item: ({cluster, app}) => ({cluster, ...app}),
    name: (row) => `${row.cluster}/${row.app.name}`,
  })
  return 0
}

function tellUnknown(io: CliIo, what: string, known: readonly string[], format: OutputFormat): void {
  const shown = known.slice(0, 20).join(', ')
  const more = known.length > 20 ? ` and ${known.length - 20} more` : ''
  io.err(`there is no ${what} in this bridge; known are ${shown || 'none'}${more}\n`)
  // Programs get their list all the same.
  if (format === 'json' || format === 'yaml') io.out('[]\n')
}

/** The columns of a table of apps; SUSPENDED is one of them where an app is. */
export function appColumns(rows: readonly AppRow[]): readonly Column<AppRow>[] {
  return rows.some(({app}) => app.suspended === true)
    ? [...firstColumns, suspendedColumn, ...lastColumns]
    : [...firstColumns, ...lastColumns]
}

const suspendedColumn: Column<AppRow> = {title: 'SUSPENDED', value: ({app}) => (app.suspended === true ? 'True' : '')}

const firstColumns: readonly Column<AppRow>[] = [
  {title: 'CLUSTER', value: (row) => row.cluster},
  {title: 'APP', value: (row) => row.app.name},
  {title: 'REVISION', value: (row) => shortRevision(row.app.revision ?? row.app.attemptedRevision)},
  {title: 'READY', value: (row) => row.app.ready},
  {title: 'HEALTH', value: (row) => row.app.health},
  {title: 'OBJECTS', value: (row) => String(row.app.objects)},
  {title: 'DRIFTED', value: (row) => String(row.app.driftedTotal)},
]

const lastColumns: readonly Column<AppRow>[] = [
  {title: 'MESSAGE', value: ({app}) => messageOf(app).split('\n')[0] ?? ''},
  {title: 'REASON', value: (row) => row.app.reason, wide: true},
  {title: 'BUNDLE', value: (row) => row.app.bundle ?? '', wide: true},
]

/** What waits for a suspended app is not said by its condition, which is about what runs. */
function messageOf({suspended, revision, attemptedRevision, message}: AppRow['app']): string {
  const waits = suspended === true && attemptedRevision !== undefined && attemptedRevision !== revision
  return waits ? `suspended; ${shortRevision(attemptedRevision)} is waiting` : message
}

function clusterColumns(now: Date): readonly Column<ClusterStatus>[] {
  const apps = (status: ClusterStatus): NonNullable<ClusterStatus['report']>['apps'] => status.report?.apps ?? []
  return [
    {title: 'CLUSTER', value: (status) => status.cluster},
    {title: 'STATE', value: (status) => status.report?.desired.state ?? 'not seen'},
    {title: 'VERSION', value: (status) => String(status.report?.desired.version ?? 0)},
    {
      title: 'READY',
      value: (status) => `${apps(status).filter((app) => app.ready === 'True').length}/${apps(status).length}`,
    },
    {title: 'SEEN', value: (status) => (status.report === undefined ? 'never' : formatAge(status.report.at, now))},
    {title: 'KUBERNETES', value: (status) => status.report?.agent.kubernetes ?? '', wide: true},
    {title: 'AGENT', value: (status) => status.report?.agent.version ?? '', wide: true},
    {title: 'REASON', value: (status) => status.report?.desired.reason ?? '', wide: true},
  ]
}
