/** Flux's words for failures where one fits, and those of failures that end only when somebody acts: by code. */
const reasons: Readonly<Record<string, string>> = {
  UNREACHABLE: 'ArtifactFailed',
  UNHEALTHY: 'HealthCheckFailed',
  HOOK_FAILED: 'HealthCheckFailed',
  HealthCheckFailed: 'HealthCheckFailed',
  DEPENDENCY_NOT_READY: 'DependencyNotReady',
}

/** The reason of Ready, and of an Event, for the code of a failure. */
export function reasonOf(code: string | undefined): string {
  return reasons[code ?? ''] ?? 'ReconciliationFailed'
}
