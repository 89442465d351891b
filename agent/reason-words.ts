/** Flux's words for failures where one fits, and those of failures that end only when somebody acts: by code. */
const reasons: Readonly<Record<string, string>> = {
  UNREACHABLE: 'ArtifactFailed',
  UNHEALTHY: 'HealthCheckFailed',
  HOOK_FAILED: 'HealthCheckFailed',
  HealthCheckFailed: 'HealthCheckFailed',
  DEPENDENCY_NOT_READY: 'DependencyNotReady',
  PRUNE_LIMIT: 'PruneLimitExceeded',
  OWNED_BY_OTHER: 'OwnedByOther',
  DEPENDENCY_CYCLE: 'DependencyCycle',
}

/** What is looked at again as well, but goes on only when somebody acts, or publishes something newer. */
const standing: ReadonlySet<string> = new Set([
  'ArtifactRefused',
  'PruneLimitExceeded',
  'OwnedByOther',
  'DependencyCycle',
])

/** Tells whether nothing the agent does by itself ends a failure of this reason. */
export function isStanding(reason: string): boolean {
  return standing.has(reason)
}

/** The reason of Ready, and of an Event, for the code of a failure. */
export function reasonOf(code: string | undefined): string {
  return reasons[code ?? ''] ?? 'ReconciliationFailed'
}
