import type {Row} from './list-rows.ts'

const head = ['work', 'Flux 2.9 here', 'raw limit', 'ours', 'aim', 'holds'] as const

/** The rows in columns, for a terminal. */
export function formatText(rows: readonly Row[]): string {
  const lines = [[...head], ...rows.map(cellsOf)]
  const widths = head.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)))
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, at) => cell.padEnd(widths[at] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

/** The rows as a table in markdown. */
export function formatMarkdown(rows: readonly Row[]): string {
  const lines = [[...head], head.map(() => '---'), ...rows.map(cellsOf)]
  return lines.map((line) => `| ${line.map((cell) => cell.trim().replaceAll('|', '\\|')).join(' | ')} |\n`).join('')
}

function cellsOf({work, flux, limit, ours, aim, holds}: Row): string[] {
  return [work, flux, limit, ours, aim, aim === '-' ? '-' : holds ? 'yes' : 'NO']
}
