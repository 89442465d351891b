import {formatRef} from '#shared/model/object-ref.ts'
import {formatField} from '../format-field.ts'
import {type CliIo, paint} from '../io.ts'
import type {AppChanges, ObjectChange} from './change.ts'

const signs = {
  create: '+',
  update: '~',
  recreate: '±',
  hook: '>',
  prune: '-',
  keep: '=',
  refused: '!',
  unchanged: ' ',
} as const
const colors = {
  create: 'green',
  update: 'yellow',
  recreate: 'red',
  hook: 'cyan',
  prune: 'red',
  keep: 'dim',
  refused: 'red',
  unchanged: 'dim',
} as const

/** Prints for people what each app's apply would do, in the order in which it would. Unchanged objects are only counted. */
export function printDiff(io: CliIo, apps: readonly AppChanges[]): void {
  for (const {app, changes} of apps) {
    io.out(`${paint(io, 'bold', `app ${app}`)}: ${summarize(changes)}\n`)
    let stage = 0
    for (const change of changes) {
      if (change.action === 'unchanged') continue
      if (change.stage !== stage) {
        stage = change.stage
        const {phase, wave} = change
        const where = phase === undefined ? 'prune' : wave === 0 ? phase : `${phase}, wave ${wave}`
        io.out(paint(io, 'dim', `  stage ${stage} (${where})\n`))
      }
      const name = formatRef(change.ref)
      const words = change.reason?.startsWith(`${name}: `) ? change.reason.slice(name.length + 2) : change.reason
      const reason = words === undefined ? '' : `: ${words}`
      io.out(`${paint(io, colors[change.action], `  ${signs[change.action]} ${name}`)}${reason}\n`)
      for (const field of change.fields) io.out(`      ${formatField(field)}\n`)
    }
  }
}

/** `1 to create, 2 to update, 10 unchanged` */
export function summarize(changes: readonly ObjectChange[]): string {
  const counts = Map.groupBy(changes, ({action}) => action)
  const words = {
    create: 'to create',
    update: 'to update',
    recreate: 'to make anew',
    hook: 'hook(s)',
    prune: 'to prune',
    keep: 'kept though no longer declared',
    refused: 'refused',
    unchanged: 'unchanged',
  } as const
  const parts = (Object.keys(words) as (keyof typeof words)[]).flatMap((action) => {
    const count = counts.get(action)?.length ?? 0
    return count === 0 ? [] : [`${count} ${words[action]}`]
  })
  return parts.join(', ') || 'nothing declared'
}
