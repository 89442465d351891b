import {randomBytes} from 'node:crypto'
import {styleText} from 'node:util'
import {escapeControls} from '#shared/journal/escape-controls.ts'

/** What a command reads and writes: data goes to `out`, everything for people to `err`. */
export interface CliIo {
  out(text: string): void
  err(text: string): void
  env: Readonly<Record<string, string | undefined>>
  cwd: string
  /** Aborts when the user ends the command (Ctrl-C, SIGTERM). */
  signal: AbortSignal
  /** Whether `out` is a terminal that shows colours (and NO_COLOR is not set). */
  color: boolean
}

/** A command's answer as an exit status: 0 yes or done, 1 no (not valid, not healthy, differs), 2 could not be told. */
export type ExitStatus = 0 | 1 | 2

/** An error that is the user's to mend; printed as one line, exit status 2 unless said otherwise. */
export class CliError extends Error {
  readonly exitStatus: ExitStatus

  constructor(message: string, exitStatus: ExitStatus = 2, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CliError'
    this.exitStatus = exitStatus
  }
}

type Style = Parameters<typeof styleText>[0]

/** Tells our own colours from escape sequences in what others wrote; nobody else knows it. */
const ESCAPE = '\u001b'
const OURS = `${ESCAPE}${randomBytes(8).toString('hex')}`

/** Colours text where the terminal shows it. */
export function paint(io: CliIo, style: Style, text: string): string {
  if (!io.color) return text
  const [begin = '', end = ''] = styleText(style, '|', {validateStream: false}).replaceAll(ESCAPE, OURS).split('|')
  return `${begin}${escapeAllBut(OURS, text).join(OURS)}${end}`
}

/**
 * What is written to a terminal: names, words of renderers and reports are others', so whatever a terminal would act on is shown as `\u001b`;
 * only what `paint` made is left. All that commands print goes through this.
 */
export function showText(text: string): string {
  return escapeAllBut(OURS, text).join(ESCAPE)
}

function escapeAllBut(mark: string, text: string): string[] {
  return text.split(mark).map(escapeControls)
}
