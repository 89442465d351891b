import {STAGES, type Trace} from '#shared/model/trace.ts'
import {type CliIo, paint} from '../io.ts'
import {formatTable} from '../print-rows.ts'

/** Tells the demo's story on stdout and counts what went wrong. */
export interface Narrator {
  title(text: string): void
  note(text: string): void
  /** A line on what is being waited for; to stderr. */
  progress(text: string): void
  /** Runs a check that asks the clusters; a rejection or `false` is a failure, told with its reason. */
  check(what: string, verify: () => Promise<boolean>): Promise<void>
  /** The stages of one or more pushes, in milliseconds since the push. */
  timeline(rows: readonly {what: string; stages: Trace['stages']}[]): void
  summary(elapsedMilliseconds: number): void
  failures(): number
}

/** Makes a narrator. */
export function createNarrator(io: CliIo): Narrator {
  let passed = 0
  let failed = 0
  return {
    title: (text) => io.out(`\n${paint(io, 'bold', text)}\n`),
    note: (text) => io.out(`  ${text}\n`),
    progress: (text) => io.err(`  ${text}\n`),
    async check(what, verify) {
      const reason = await verify().then(
        (ok) => (ok ? undefined : 'it is not so'),
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      )
      if (reason === undefined) {
        passed++
        io.out(`  ${paint(io, 'green', '✓')} ${what}\n`)
      } else {
        failed++
        io.out(`  ${paint(io, 'red', '✗')} ${what}: ${reason}\n`)
      }
    },
    timeline(rows) {
      const shown = STAGES.filter((stage) => rows.some((row) => row.stages[stage] !== undefined))
      const lines = rows.map(({what, stages}) => {
        const start = Date.parse(stages.pushed ?? stages.received ?? '')
        return [
          `  ${what}`,
          ...shown.map((stage) => (stages[stage] === undefined ? '-' : `${Date.parse(stages[stage]) - start} ms`)),
        ]
      })
      io.out(formatTable([['  milliseconds since the push', ...shown], ...lines]))
    },
    summary(elapsedMilliseconds) {
      const verdict = failed === 0 ? `${passed} checks passed` : `${failed} of ${passed + failed} checks failed`
      io.out(
        `\n${paint(io, failed === 0 ? 'green' : 'red', verdict)} in ${(elapsedMilliseconds / 1000).toFixed(1)} s\n`,
      )
    },
    failures: () => failed,
  }
}
