import type {DriftFigures} from './measure-drift.ts'
import type {FirstApplyFigures} from './measure-first-apply.ts'
import type {HugeFigures} from './measure-huge.ts'
import type {IdleFigures} from './measure-idle.ts'
import type {MemoryFigures} from './measure-memory.ts'
import type {OneChangeFigures} from './measure-one-change.ts'
import type {PruneFigures} from './measure-prune.ts'
import type {PushFigures} from './measure-pushes.ts'
import type {UnchangedFigures} from './measure-unchanged.ts'

/** All that one run measured, as `--json` writes it. What was left out by `--only` is absent. */
export interface Figures {
  /** RFC 3339 */
  at: string
  node: string
  cpu: string
  cores: number
  /** The machine's load of the last minute before the run. */
  loadBefore: number
  agent: 'bundle' | 'sources'
  pushes?: PushFigures
  firstApply?: FirstApplyFigures
  unchanged?: {byPush: UnchangedFigures; byAnnotation: UnchangedFigures}
  oneChange?: OneChangeFigures
  drift?: DriftFigures
  prune?: PruneFigures
  memory?: MemoryFigures
  idle?: IdleFigures
  huge?: HugeFigures
}
