import {availableParallelism} from 'node:os'
import {mapBounded} from '#shared/async/map-bounded.ts'
import {memoizeAsync} from '#shared/async/memoize-async.ts'
import type {Finding} from '#shared/model/outcome.ts'
import type {Trace} from '#shared/model/trace.ts'
import type {RepositoryPolicy} from '#shared/model/tracked-repository.ts'
import type {SourceError} from '#shared/ports/source-error.ts'
import type {InputsMemory} from './inputs-memory.ts'
import type {Head, Sources} from './open-sources.ts'
import type {Config} from './read-config.ts'
import type {DesiredHint} from './read-desired-hints.ts'
import {renderInClusters} from './render-in-cluster.ts'
import type {RenderPorts} from './render-ports.ts'
import type {RecordsCache} from './render-records.ts'
import {createRangeSender} from './send-ranges.ts'

/** What a declaration wants at one commit, and the trace of the push that led here. */
export interface RenderJob {
  declaration: Head
  /** What it may name. @default everything */
  policy?: RepositoryPolicy | undefined
  sources: Sources
  config: Config
  inputs: InputsMemory
  records: RecordsCache
  /** What each cluster is told to run now: a hint, by which the unchanged is left alone. */
  desired: ReadonlyMap<string, DesiredHint>
  /** Apps whose names come before it are left alone. @default '' */
  from?: string | undefined
  /** From then on no further app is begun, but for the first one. @default never */
  deadline?: Date | undefined
  trace: Trace
}

/** What came of it: how many ranges were sent to publish, and what is wrong. */
export interface RenderedDeclaration {
  requests: number
  findings: Finding[]
  /** What keeps nothing from being published, and should be known. */
  warnings: Finding[]
  /** What kept an app from being rendered and may be gone at the next try. */
  transient: SourceError | undefined
  /** The name of the first app that is left, with all that come after it; undefined where none is. */
  rest: string | undefined
}

/**
 * Renders the apps of a declaration in order of their names, stores their bundles, and sends what is to be published in ranges of
 * names as soon as they are complete. One app's failure leaves the others alone. At least one app is rendered, whatever the time,
 * so whoever goes on at `rest` comes to the end. Rejects with `ObjectStoreError` and `QueueError`; what was sent by then counts.
 */
export async function renderDeclaration(ports: RenderPorts, job: RenderJob): Promise<RenderedDeclaration> {
  const {config, from = '', deadline} = job
  const apps = config.apps
    .filter(({metadata}) => metadata.name >= from)
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
  const records = memoizeAsync(() => job.records.open(ports.store, job.declaration, job.policy))
  let isRecorded = false
  const openRecords = () => {
    isRecorded = true
    return records()
  }
  const ranges = createRangeSender(ports, job, apps)
  const findings: Finding[] = []
  const warnings: Finding[] = []
  let transient: SourceError | undefined
  let rest: string | undefined
  let begun = 0
  await mapBounded(apps, availableParallelism() + 1, async (app) => {
    if (begun > 0 && deadline !== undefined && ports.clock.now() >= deadline) rest ??= app.metadata.name
    if (rest !== undefined) return
    begun += 1
    const results = await renderInClusters(ports, job, openRecords, app)
    for (const result of results) {
      if (result.kind !== 'failed') {
        warnings.push(...result.warnings)
        continue
      }
      findings.push(result.finding)
      transient ??= result.transient
    }
    await ranges.add(results)
  })
  await ranges.finish()
  if (isRecorded) await (await records()).save(config)
  return {requests: ranges.requests(), findings: [...findings, ...ranges.findings()], warnings, transient, rest}
}
