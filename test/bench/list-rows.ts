import type {Figures} from './figures.ts'
import type {HugeFigures} from './measure-huge.ts'
import type {MemoryFigures, MemorySummary} from './measure-memory.ts'
import type {Memory} from './read-process.ts'
import type {Summary} from './statistics.ts'

/** One line of the table. */
export interface Row {
  work: string
  /** What Flux needed for the same work on the same kind of machine. */
  flux: string
  /** What the API server itself takes for it. */
  limit: string
  ours: string
  aim: string
  /** Whether the aim was reached. */
  holds: boolean
}

/** Makes the table's rows of the figures that are there. */
export function listRows(figures: Figures): Row[] {
  return [
    ...firstApplyRows(figures),
    ...unchangedRows(figures),
    ...changeRows(figures),
    ...driftRows(figures),
    ...pruneRows(figures),
    ...memoryRows(figures),
    ...hugeRows(figures),
  ]
}

function firstApplyRows({firstApply: f}: Figures): Row[] {
  if (f === undefined) return []
  const work = `first apply of ${f.objects} objects`
  return [
    row(work, '8.3 s (6.7-9.9), 4.7 x raw', seconds(f.rawSeconds), seconds(f.applySeconds), {
      aim: '<= 1.2 x raw',
      of: `${f.timesRaw.toFixed(2)} x raw`,
      holds: f.timesRaw <= 1.2,
    }),
    row(
      '  requests to the API server',
      '3.01 an object',
      '1 an object',
      `${f.requestsPerObject.toFixed(3)} an object`,
      {
        aim: '<= 1.1 an object',
        holds: f.requestsPerObject <= 1.1,
      },
    ),
    row(
      '  CPU of the agent + the API server',
      '3.5 + 6.6 s',
      `the server: ${f.apiServerCpuSecondsRaw.p50.toFixed(2)} s`,
      `${f.agentCpuSeconds.p50.toFixed(2)} + ${f.apiServerCpuSeconds.p50.toFixed(2)} s`,
      {aim: "< Flux's", holds: f.agentCpuSeconds.p50 < 3.5 && f.apiServerCpuSeconds.p50 < 6.6},
    ),
  ]
}

function unchangedRows({unchanged}: Figures): Row[] {
  if (unchanged === undefined) return []
  const ways = [
    ['by a push', unchanged.byPush],
    ['by annotation', unchanged.byAnnotation],
  ] as const
  return ways.map(([way, f]) =>
    row(
      `reconcile, nothing changed, ${way}`,
      '4.5 s; 2.6 + 3.9 CPU-s; 2,008 requests',
      'nothing',
      `${ms(f.wallMs)}; ${f.agentCpuMs.p50.toFixed(0)} ms CPU; ${f.objectRequests} writes or dry runs of objects; ${list(f.requests)}`,
      {aim: 'no write, no dry run, <= 30 ms CPU', holds: f.objectRequests === 0 && f.agentCpuMs.p50 <= 30},
    ),
  )
}

function changeRows({oneChange, pushes}: Figures): Row[] {
  const rows: Row[] = []
  if (oneChange !== undefined) {
    const {pushToVisible, requests, requestsWithoutEvents} = oneChange
    rows.push(
      row(
        'one ConfigMap of 1,000: push to visible',
        '4.4 s',
        'one PATCH',
        `${ms(pushToVisible)}, ${stagesOf(oneChange.stages)}`,
        {
          aim: '<= 600 ms',
          holds: pushToVisible.p50 <= 600,
        },
      ),
      row(
        '  requests to the API server',
        '2,010',
        '1',
        `${requestsWithoutEvents}, and ${sum(requests) - requestsWithoutEvents} Events: ${list(requests)}`,
        {aim: '<= 5', holds: requestsWithoutEvents <= 5},
      ),
    )
  }
  if (pushes !== undefined)
    rows.push(
      row(
        '10-object app: push to visible',
        '400 ms triggered, 480 ms by webhook',
        '-',
        `${ms(pushes.pushToVisible)}, ${stagesOf(pushes.stages)}`,
        {
          aim: '<= 500 ms at p50',
          holds: pushes.pushToVisible.p50 <= 500,
        },
      ),
    )
  return rows
}

function driftRows({drift}: Figures): Row[] {
  if (drift === undefined) return []
  const ways = [
    ['edit', drift.edited],
    ['scale', drift.scaled],
    ['deletion', drift.deleted],
  ] as const
  return ways.map(([way, f]) =>
    row(`drift corrected: ${way}`, 'up to 66 s (interval 1 m)', 'watch latency', `p50 ${f.p50} ms, p95 ${f.p95} ms`, {
      aim: '<= 300 ms at p95',
      holds: f.p95 <= 300,
    }),
  )
}

function pruneRows({prune: f}: Figures): Row[] {
  if (f === undefined) return []
  return [
    row(
      `prune ${f.objects} of ${2 * f.objects}: push to last gone`,
      '5.5 s; 2,008 requests',
      seconds(f.rawSeconds),
      `${seconds(f.pushToGoneSeconds)}; ${f.requestsPerObject.toFixed(3)} requests an object`,
      {aim: `<= 1.5 x raw + 0.5 s = ${f.aimSeconds.toFixed(2)} s`, holds: f.pushToGoneSeconds.p50 <= f.aimSeconds},
    ),
  ]
}

function memoryRows({memory: f, idle, huge}: Figures): Row[] {
  const rows: Row[] = []
  if (f !== undefined) {
    const both = ({rss, peak}: {rss: Summary; peak: Summary}): string => `${mib(rss.p50)} / ${mib(peak.p50)} MiB`
    rows.push(
      row('memory with 12 objects, RSS / peak', '75 + 86 + 80 MiB', 'an empty Node 24: 43 MiB', both(f.empty), {
        aim: '-',
        holds: true,
      }),
      row('memory after a first apply of 1,000', '105 / 141 + 92 / 92 + 80 MiB', '-', both(f.applied), {
        aim: '<= 110 / 135 MiB',
        holds: f.applied.rss.p50 <= 110 && f.applied.peak.p50 <= 135,
      }),
      row('memory, started with 1,000', '-', '-', both(f.restarted), {
        aim: '<= 110 / 135 MiB',
        holds: f.restarted.rss.p50 <= 110 && f.restarted.peak.p50 <= 135,
      }),
    )
    rows.push(perObjectRow(f, huge))
  }
  if (idle !== undefined)
    rows.push(
      row(
        'a minute of nothing, 1,000 objects',
        '-',
        'nothing',
        `${idle.cpuMsPerMinute.toFixed(0)} ms CPU; ${list(idle.requests)}`,
        {
          aim: '-',
          holds: true,
        },
      ),
    )
  return rows
}

/** The first thousand brings connections and compiled code with it, so what one more object takes is told by those after it. */
function perObjectRow(f: MemoryFigures, huge: HugeFigures | undefined): Row {
  const first = Math.max(f.kibPerObject.applied, f.kibPerObject.restarted)
  const later = (more: Memory | undefined, than: MemorySummary): number =>
    ((more?.rss ?? Number.NaN) - than.rss.p50) * (1024 / ((huge?.objects ?? 0) - f.objects))
  const further = huge && Math.max(later(huge.applied, f.applied), later(huge.restarted, f.restarted))
  const ours = `${further === undefined ? '' : `${further.toFixed(1)} KiB from 1,000 to ${huge?.objects.toLocaleString('en')}; `}${first.toFixed(1)} KiB of the first 1,000`
  return row('  for each object more', '-', '-', ours, {aim: '<= 10 KiB', holds: (further ?? first) <= 10})
}

function hugeRows({huge: f}: Figures): Row[] {
  if (f === undefined) return []
  const count = f.objects.toLocaleString('en')
  const worst = Math.max(...[f.applied, f.restarted, f.end].map((memory) => memory?.peak ?? Number.NaN))
  return [
    row(
      `${count} objects in one app: push to applied`,
      '-',
      '-',
      `${f.pushToAppliedSeconds.toFixed(1)} s (${f.applySeconds.toFixed(1)} s of it the apply); ${f.applyRequestsPerObject.toFixed(3)} requests an object`,
      {aim: '<= 1.1 an object', holds: f.applyRequestsPerObject <= 1.1},
    ),
    row('  one deleted by hand: there again', '-', 'watch latency', `${f.driftMs} ms`, {
      aim: '<= 300 ms',
      holds: f.driftMs <= 300,
    }),
    row(
      `  ${f.pruned.toLocaleString('en')} pruned: push to last gone`,
      '-',
      '-',
      `${f.pushToGoneSeconds.toFixed(1)} s; ${f.pruneRequestsPerObject.toFixed(3)} requests an object`,
      {aim: '<= 1.1 an object', holds: f.pruneRequestsPerObject <= 1.1},
    ),
    row(
      '  memory, RSS / peak',
      '-',
      '-',
      `${pair(f.applied)} applied, ${pair(f.restarted)} started with it, ${pair(f.end)} after the prune`,
      {aim: '<= 200 MiB', holds: worst <= 200},
    ),
    row('  watches begun again', '-', '-', String(f.watchRestarts), {
      aim: 'none but where the server ends one',
      holds: f.watchRestarts <= 4,
    }),
  ]
}

function row(
  work: string,
  flux: string,
  limit: string,
  ours: string,
  {aim, of, holds}: {aim: string; of?: string; holds: boolean},
): Row {
  return {work, flux, limit, ours: of === undefined ? ours : `${ours}, ${of}`, aim, holds}
}

function seconds({p50, min, max}: Summary): string {
  return `${p50.toFixed(2)} s (${min.toFixed(2)}-${max.toFixed(2)})`
}

function ms({p50, min, max}: Summary): string {
  return `${p50.toFixed(0)} ms (${min.toFixed(0)}-${max.toFixed(0)})`
}

function mib(value: number): string {
  return value.toFixed(0)
}

function pair(memory: Memory | undefined): string {
  return memory === undefined ? '?' : `${mib(memory.rss)} / ${mib(memory.peak)} MiB`
}

function stagesOf(stages: Record<string, Summary>): string {
  return Object.entries(stages)
    .map(([stage, {p50}]) => `${stage} ${p50}`)
    .join(', ')
}

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}

function list(counts: Record<string, number>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ')
}
