import {setTimeout as sleep} from 'node:timers/promises'
import type {Command} from 'commander'
import {formatRef} from '#shared/model/object-ref.ts'
import {appColumns} from './get.ts'
import {type CliIo, type ExitStatus, paint} from './io.ts'
import {type BridgeOptions, openBridge} from './open-bridge.ts'
import {formatTable, type OutputFormat, parseOutputFormat, printRows} from './print-rows.ts'
import {type AppRow, appRows, readClusterStatuses} from './read-status.ts'

interface StatusOptions extends BridgeOptions {
  output: OutputFormat
  watch?: boolean
}

const watchEveryMilliseconds = 1000

/** Adds `drawbridge status [--watch]`: exit status 0 where every app is ready, 1 where one is not. */
export function addStatusCommand(program: Command, io: CliIo, done: (status: ExitStatus) => void): void {
  program
    .command('status')
    .description('how every app fares, and why, where it is not well; exit status 1 unless all are ready')
    .option('-w, --watch', 'print again whenever something changes, until Ctrl-C')
    .option('-o, --output <format>', 'json, yaml, wide or name', parseOutputFormat, 'table')
    .option('--state <dir>', 'state directory of a local bridge')
    .option('--bucket <name>', 'bucket of a bridge on AWS')
    .action(async (options: StatusOptions) => {
      const store = await openBridge(io, options)
      let shown = ''
      do {
        const statuses = await readClusterStatuses(store)
        const rows = appRows(statuses)
        const state = JSON.stringify(rows)
        if (state !== shown) print(io, rows, options)
        shown = state
        done(rows.length > 0 && rows.every((row) => row.app.ready === 'True') ? 0 : 1)
        if (options.watch === true)
          await sleep(watchEveryMilliseconds, undefined, {signal: io.signal}).catch(() => undefined)
      } while (options.watch === true && !io.signal.aborted)
    })
}

function print(io: CliIo, rows: readonly AppRow[], options: StatusOptions): void {
  if (options.output !== 'table' && options.output !== 'wide') {
    printRows(io, {
      rows,
      columns: appColumns,
      format: options.output,
      item: ({cluster, app}) => ({cluster, ...app}),
      name: (row) => `${row.cluster}/${row.app.name}`,
    })
    return
  }
  if (rows.length === 0) {
    io.err('no app is known yet\n')
    return
  }
  const ready = rows.filter((row) => row.app.ready === 'True').length
  const verdict = `${ready} of ${rows.length} apps ready`
  io.out(`${paint(io, ready === rows.length ? 'green' : 'yellow', verdict)}\n`)
  printRows(io, {rows, columns: appColumns, format: options.output, name: (row) => row.app.name})
  for (const {cluster, app} of rows) {
    const trouble = [
      ...app.unhealthy.map(({ref, health, reason}) => [`  ${formatRef(ref)}`, health, reason]),
      ...app.drifted.map(({ref, what, manager}) => [
        `  ${formatRef(ref)}`,
        'drifted',
        manager === undefined ? what : `${what} by ${manager}`,
      ]),
    ]
    if (trouble.length > 0) io.out(`\n${cluster}/${app.name}: ${app.message}\n${formatTable(trouble)}`)
  }
}
