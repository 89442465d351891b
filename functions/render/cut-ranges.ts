import type {NameRange} from '#shared/model/name-range.ts'
import type {PublishRange} from '#shared/model/publish-request.ts'
import type {Head} from './open-sources.ts'

/** What a range says of one app. */
export interface Piece {
  entry: PublishRange['apps'][number]
  /** The head that it was rendered from; undefined where it was not rendered. */
  head: Head | undefined
  /** Whether the cluster is to be told anything that it does not have. */
  differs: boolean
  /** Asked for only where it may be sent. */
  bytes: () => number
}

export interface CutRange {
  range: NameRange
  pieces: Piece[]
}

/** How much one range holds at most; a single app that is larger has a range of its own. */
export interface RangeBounds {
  maxApps: number
  maxBytes: number
}

/** Cuts what a declaration wants in one cluster into ranges of names, as its apps are finished in any order. */
export interface RangeCutter {
  /** Notes what came of an app; returns the ranges that are complete by that. */
  take(name: string, piece: Piece): CutRange[]
  /** The range of all that is finished in order of names and not cut yet. */
  flush(): CutRange[]
}

/**
 * Makes the cutter of one cluster. `names` are the declaration's apps there from the name `from` on, `removed` those that the
 * cluster has and the declaration does not; no name is in both. A range begins and ends with something that differs, and nothing
 * is cut where nothing does; each name is in one range at most.
 */
export function createRangeCutter(
  names: readonly string[],
  removed: readonly string[],
  bounds: RangeBounds,
  from = '',
): RangeCutter {
  const items = [
    ...names.map((name) => ({name, piece: undefined as Piece | 'removed' | undefined})),
    ...removed.map((name) => ({name, piece: 'removed' as Piece | 'removed' | undefined})),
  ].sort((a, b) => (a.name < b.name ? -1 : 1))
  const indexes = new Map(items.map(({name}, index) => [name, index]))
  /** The open range: what is in it begins at `start` and ends before `next`. */
  let start = 0
  let next = 0
  /** Behind the last item of the open range that differs; undefined where none does. */
  let end: number | undefined
  let apps = 0
  let bytes = 0

  const cut = (): CutRange[] => {
    if (end === undefined) return []
    const to = items[end]?.name
    const range = {from: start === 0 ? from : (items[start]?.name ?? ''), ...(to === undefined ? {} : {to})}
    const pieces = items.slice(start, end).flatMap(({piece}) => (typeof piece === 'object' ? [piece] : []))
    start = next
    end = undefined
    apps = 0
    bytes = 0
    return [{range, pieces}]
  }

  const advance = (): CutRange[] => {
    const ranges: CutRange[] = []
    for (let item = items[next]; item?.piece !== undefined; item = items[next]) {
      const {piece} = item
      const differs = piece === 'removed' || piece.differs
      if (end === undefined && !differs) {
        start = ++next
        continue
      }
      const more = piece === 'removed' ? 0 : piece.bytes()
      if (end !== undefined && bytes + more > bounds.maxBytes) ranges.push(...cut())
      next += 1
      if (differs) end = next
      if (end === undefined) {
        start = next
        continue
      }
      bytes += more
      if (piece !== 'removed') apps += 1
      if (apps >= bounds.maxApps || bytes >= bounds.maxBytes) ranges.push(...cut())
    }
    return ranges
  }

  return {
    take(name, piece) {
      const item = items[indexes.get(name) ?? -1]
      if (item !== undefined) item.piece = piece
      return advance()
    },
    flush: () => [...advance(), ...cut()],
  }
}
