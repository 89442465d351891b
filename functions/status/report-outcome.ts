import {describeError} from '#shared/model/drawbridge-error.ts'
import type {JournalEvent} from '#shared/model/journal-event.ts'
import {describeFinding, type Finding, formatFinding, type Outcome} from '#shared/model/outcome.ts'
import {CommitStatusError} from '#shared/ports/commit-status-error.ts'
import {keepOutcome} from './keep-outcome.ts'
import {nameFailures} from './name-failures.ts'
import type {StatusPorts} from './ports.ts'

/**
 * Keeps and shows on the git host how rendering or publishing a commit went, and journals each finding. Contexts: `drawbridge/render`, and
 * `drawbridge/publish/<cluster>` for what publish refused. Rejects with `CommitStatusError` UNAVAILABLE or RATE_LIMITED.
 */
export async function reportOutcome(ports: StatusPorts, outcome: Outcome): Promise<void> {
  const {commitStatuses, journal, clock, store} = ports
  const {repository, ref, commit, stage, cluster, findings, trace} = outcome
  const record = (event: Partial<JournalEvent>): void =>
    journal.record({
      event: 'failed',
      at: clock.now().toISOString(),
      repository,
      ref,
      commit,
      traceparent: trace.traceparent,
      ...event,
    })
  const kept = await keepOutcome(store, outcome)
  for (const finding of findings) {
    const where = finding.cluster ?? cluster
    record({
      code: finding.code,
      message: describeFinding(finding),
      ...(finding.app !== undefined && {app: finding.app}),
      ...(where !== undefined && {cluster: where}),
    })
  }
  const all = kept.commit === commit ? kept.findings : findings
  // The apps before the end of a range are well; of those behind it nothing is known yet.
  if (stage === 'render' && outcome.range?.to !== undefined && all.length === 0) return
  try {
    await commitStatuses.setCommitStatus({
      repository,
      commit,
      context: stage === 'render' || cluster === undefined ? `drawbridge/${stage}` : `drawbridge/${stage}/${cluster}`,
      ...summarise(stage, all, (kept.commit === commit ? kept.warnings : outcome.warnings) ?? []),
    })
  } catch (error) {
    if (!(error instanceof CommitStatusError) || error.code !== 'REFUSED') throw error
    record({code: error.code, message: describeError(error)})
  }
}

function summarise(
  stage: Outcome['stage'],
  findings: readonly Finding[],
  warnings: readonly Finding[],
): {state: 'success' | 'failure'; description: string} {
  if (findings.length > 0) return {state: 'failure', description: describeAll(findings)}
  const done = stage === 'render' ? 'rendered' : 'published'
  return {
    state: 'success',
    description: warnings.length === 0 ? done : `${done}; warning: ${describeWarnings(warnings)}`,
  }
}

function describeAll(findings: readonly Finding[]): string {
  return nameFailures(findings.map((finding) => ({app: finding.app, words: formatFinding(finding)})))
}

function describeWarnings([first, ...others]: readonly Finding[]): string {
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`
  return `${first === undefined ? '' : formatFinding(first)}${more}`
}
