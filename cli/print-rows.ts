import {stringifyExact} from '#shared/bundle/exact-json.ts'
import {escapeToLine} from '#shared/journal/escape-controls.ts'
import {formatYaml} from './format-yaml.ts'
import type {CliIo} from './io.ts'
import {CliError} from './io.ts'

export const OUTPUT_FORMATS = ['table', 'wide', 'json', 'yaml', 'name'] as const
export type OutputFormat = (typeof OUTPUT_FORMATS)[number]

/** A column of a table; `wide` ones are shown with `-o wide` only. */
export interface Column<Row> {
  title: string
  value: (row: Row) => string
  wide?: boolean
}

/** Reads the value of `-o`. */
export function parseOutputFormat(text: string): OutputFormat {
  const format = OUTPUT_FORMATS.find((known) => known === text)
  if (format === undefined) throw new CliError(`-o ${text}: use one of ${OUTPUT_FORMATS.slice(1).join(', ')}`)
  return format
}

/** Prints rows: a table for people, or the whole items as JSON or YAML for programs. */
export function printRows<Row>(
  io: Pick<CliIo, 'out'>,
  {
    rows,
    columns,
    format,
    header = true,
    item = (row) => row,
    name,
  }: {
    rows: readonly Row[]
    columns: readonly Column<Row>[]
    format: OutputFormat
    header?: boolean
    item?: (row: Row) => unknown
    name: (row: Row) => string
  },
): void {
  if (format === 'json') io.out(`${stringifyExact(rows.map(item), 2)}\n`)
  else if (format === 'yaml') io.out(formatYaml(rows.map(item)))
  else if (format === 'name') io.out(rows.map((row) => `${escapeToLine(name(row))}\n`).join(''))
  else io.out(tableOf(rows, columns, format === 'wide', header))
}

function tableOf<Row>(rows: readonly Row[], columns: readonly Column<Row>[], wide: boolean, header: boolean): string {
  const shown = columns.filter((column) => wide || column.wide !== true)
  const lines = rows.map((row) => shown.map((column) => escapeToLine(column.value(row))))
  if (header) lines.unshift(shown.map((column) => column.title))
  return formatTable(lines)
}

/** Aligns cells in columns, two spaces apart. */
export function formatTable(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)))
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

/** How long ago, the way kubectl writes ages: `42s`, `5m`, `3h`, `2d`. */
export function formatAge(from: string, now: Date): string {
  const seconds = Math.max(0, Math.round((now.getTime() - Date.parse(from)) / 1000))
  if (seconds < 120) return `${seconds}s`
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}
