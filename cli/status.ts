import {setTimeout as sleep} from 'node:timers/promises'
import type {Command} from 'commander'
import {stringifyExact} from '#shared/bundle/exact-json.ts'
import {formatRef} from '#shared/model/object-ref.ts'
import {type Finding, formatFinding, type Outcome} from '#shared/model/outcome.ts'
import {formatRevision} from '#shared/model/revision.ts'
import {formatField} from './format-field.ts'
import {shortRevision} from './format-revision.ts'
import {appColumns} from './get.ts'
import {type CliIo, type ExitStatus, paint} from './io.ts'
import {type BridgeOptions, openBridge} from './open-bridge.ts'
import {formatTable, type OutputFormat, parseOutputFormat, printRows} from './print-rows.ts'
import {type AppRow, appRows, isFailed, readClusterStatuses, readOpenOutcomes} from './read-status.ts'

interface StatusOptions extends BridgeOptions {
  output: OutputFormat
  watch?: boolean
}

const watchEveryMilliseconds = 1000

/** Adds `drawbridge status [--watch]`: exit status 0 where every app is ready, 1 where one is not, or a commit did not come that far. */
export function addStatusCommand(program: Command, io: CliIo, done: (status: ExitStatus) => void): void {
  program
    .command('status')
    .description(
      'how every app fares, and why, where it is not well; exit status 1 unless all are ready and the last commits rendered',
    )
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
        const outcomes = await readOpenOutcomes(store)
        const failed = outcomes.filter(isFailed)
        const warnings = outcomes.flatMap((outcome) => outcome.warnings ?? [])
        const state = stringifyExact([rows, outcomes])
        if (state !== shown) {
          printStatus(io, rows, warnings, options.output, failed)
        }
        shown = state
        const areReady = rows.length > 0 && rows.every((row) => row.app.ready === 'True')
        done(areReady && failed.length === 0 ? 0 : 1)
        if (options.watch === true)
          await sleep(watchEveryMilliseconds, undefined, {signal: io.signal}).catch(() => undefined)
      } while (options.watch === true && !io.signal.aborted)
    })
}

/** Apart from the table: it is about a commit, not about an app that a cluster knows. The first reason is in the same line. */
function describeFailure(io: CliIo, {stage, repository, ref, commit, cluster, findings}: Outcome): string {
  const where = cluster === undefined ? '' : ` for cluster ${cluster}`
  const what = stage === 'render' ? 'did not render' : 'was refused'
  const words = `${repository} ${shortRevision(formatRevision(ref, commit))} ${what}${where}, so what runs is older`
  const [first = '', ...others] = findings.map(formatFinding)
  return `${paint(io, 'red', words)}: ${first}\n${others.map((other) => `  ${other}\n`).join('')}`
}

/**
 * Prints the commits that did not come as far as a cluster, then the apps, and what the bridge warns of: as data with their app, for people in a
 * list of their own.
 */
export function printStatus(
  io: CliIo,
  rows: readonly AppRow[],
  warnings: readonly Finding[],
  format: OutputFormat,
  failed: readonly Outcome[] = [],
): void {
  const warningsOf = ({cluster, app}: AppRow) =>
    warnings.filter((warning) => warning.cluster === cluster && warning.app === app.name)
  const failures = failed.map((outcome) => describeFailure(io, outcome)).join('')
  const forPeople = format === 'table' || format === 'wide'
  if (forPeople && failures !== '') io.out(`${failures}\n`)
  if (!forPeople) io.err(failures)
  if (format === 'json' || format === 'yaml') {
    const apps = rows.map((row) => {
      const open = warningsOf(row)
      return {cluster: row.cluster, ...row.app, ...(open.length === 0 ? {} : {warnings: open})}
    })
    // Commits that did not come as far as an app are told by their outcome, which has a kind and is never ready.
    const items = [...apps, ...failed.map((each) => ({...each, ready: 'False'}))]
    printRows(io, {rows: items, columns: [], format, name: () => ''})
    return
  }
  if (format === 'name') {
    printRows(io, {
      rows,
      columns: appColumns(rows),
      format,
      name: (row) => `${row.cluster}/${row.app.name}`,
    })
    return
  }
  if (rows.length === 0) {
    io.err('no app is known yet\n')
    printWarnings(io, warnings)
    return
  }
  const ready = rows.filter((row) => row.app.ready === 'True').length
  const suspended = rows.filter((row) => row.app.suspended === true).length
  const verdict = `${ready} of ${rows.length} apps ready${suspended === 0 ? '' : `, ${suspended} suspended`}`
  io.out(`${paint(io, ready === rows.length && suspended === 0 ? 'green' : 'yellow', verdict)}\n`)
  printRows(io, {rows, columns: appColumns(rows), format, name: (row) => row.app.name})
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
    for (const {ref, fields = []} of app.drifted) {
      if (fields.length > 0) io.out(`  ${formatRef(ref)}, what is there → what should be:\n`)
      for (const field of fields) io.out(`    ${formatField(field)}\n`)
    }
  }
  printWarnings(io, warnings)
}

/** What keeps no app from running, and stands until it is mended in git. */
function printWarnings(io: CliIo, warnings: readonly Finding[]): void {
  if (warnings.length === 0) return
  const lines = warnings.map(({cluster, ...warning}) => {
    return `  ${cluster === undefined ? '' : `${cluster}: `}${formatFinding(warning)}\n`
  })
  io.out(`\n${paint(io, 'yellow', 'warnings')}\n${lines.join('')}`)
}
