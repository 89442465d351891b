import type {Command} from 'commander'
import type {HistoryEntry} from '#shared/model/cluster-status.ts'
import {formatRef} from '#shared/model/object-ref.ts'
import {formatFinding} from '#shared/model/outcome.ts'
import {shortRevision} from './format-revision.ts'
import {CliError, type CliIo, type ExitStatus} from './io.ts'
import {type BridgeOptions, openBridge} from './open-bridge.ts'
import {type Column, type OutputFormat, parseOutputFormat, printRows} from './print-rows.ts'
import {readClusterStatuses, readHistory, readOpenOutcomes} from './read-status.ts'

interface HistoryOptions extends BridgeOptions {
  output: OutputFormat
  header: boolean
  cluster?: string
  limit: number
}

const maxLimit = 1000

/** Adds `drawbridge history APP`. */
export function addHistoryCommand(program: Command, io: CliIo, done: (status: ExitStatus) => void): void {
  program
    .command('history <app>')
    .description('what happened to an app, newest first')
    .option('--cluster <name>', 'only in this cluster')
    .option('-n, --limit <count>', 'at most so many lines per cluster', parseLimit, 20)
    .option('-o, --output <format>', 'json, yaml, wide or name', parseOutputFormat, 'table')
    .option('--no-header', 'no header line')
    .option('--state <dir>', 'state directory of a local bridge')
    .option('--bucket <name>', 'bucket of a bridge on AWS')
    .action(async (app: string, options: HistoryOptions) => {
      const store = await openBridge(io, options)
      const clusters =
        options.cluster === undefined
          ? (await readClusterStatuses(store)).map((status) => status.cluster)
          : [options.cluster]
      const entries = (
        await Promise.all(clusters.map((cluster) => readHistory(store, cluster, app, options.limit)))
      ).flat()
      entries.sort((a, b) => (a.event.id < b.event.id ? 1 : a.event.id > b.event.id ? -1 : 0))
      printRows(io, {
        rows: entries,
        columns,
        format: options.output,
        header: options.header,
        name: (entry) => `${entry.cluster}/${app}/${entry.event.id}`,
      })
      for (const warning of (await readOpenOutcomes(store)).flatMap(({warnings}) => warnings ?? [])) {
        const isHere = options.cluster === undefined || warning.cluster === options.cluster
        if (warning.app === app && isHere) io.err(`warning: ${formatFinding(warning)}\n`)
      }
      if (entries.length === 0) io.err(`nothing is recorded of app ${app}\n`)
      done(entries.length === 0 ? 1 : 0)
    })
}

const columns: readonly Column<HistoryEntry>[] = [
  {title: 'AT', value: ({event}) => event.at},
  {title: 'CLUSTER', value: ({cluster}) => cluster},
  {title: 'EVENT', value: ({event}) => event.event},
  {title: 'REVISION', value: ({event}) => shortRevision(event.revision)},
  {title: 'OBJECT', value: ({event}) => (event.object === undefined ? '' : formatRef(event.object))},
  {
    title: 'MESSAGE',
    value: ({event}) =>
      [event.code, event.message]
        .filter((part) => part !== undefined)
        .join(': ')
        .split('\n')[0] ?? '',
  },
]

function parseLimit(text: string): number {
  const limit = Number(text)
  if (!Number.isInteger(limit) || limit < 1 || limit > maxLimit)
    throw new CliError(`--limit ${text}: use a number from 1 to ${maxLimit}`)
  return limit
}
