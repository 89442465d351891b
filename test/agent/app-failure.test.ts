import assert from 'node:assert/strict'
import {test} from 'node:test'
import {AppFailure, asApplyFailure, blamesRevision} from '#agent/app-failure.ts'
import {KubeError} from '#agent/kube/kube-error.ts'

const codes = {
  REFUSED: false,
  POLICY: false,
  UNREACHABLE: false,
  CLUSTER_UNAVAILABLE: false,
  APPLY_FAILED: true,
  HEAL_FAILED: false,
  OWNED_BY_OTHER: false,
  INVENTORY_BROKEN: false,
  NOT_ESTABLISHED: true,
  UNHEALTHY: true,
  HOOK_FAILED: true,
  PREFLIGHT_FAILED: true,
  PRUNE_LIMIT: false,
  DEPENDENCY_CYCLE: false,
} as const satisfies Record<AppFailure['code'], boolean>

test('only what a revision did by itself counts against it', () => {
  for (const [code, blamed] of Object.entries(codes) as [AppFailure['code'], boolean][])
    assert.equal(blamesRevision(new AppFailure(code, 'x')), blamed, code)
  assert.equal(blamesRevision(new KubeError('UNAVAILABLE', 'x')), false)
  assert.equal(blamesRevision(new Error('x')), false)
})

test('what the API server refused by itself is a failure of the apply, and an outage is not', () => {
  for (const code of ['INVALID', 'FORBIDDEN', 'REJECTED'] as const)
    assert.equal(blamesRevision(asApplyFailure(new KubeError(code, 'no'))), true, code)
  for (const code of ['UNAVAILABLE', 'THROTTLED', 'UNAUTHORIZED', 'BAD_CREDENTIALS', 'ABORTED'] as const) {
    const error = new KubeError(code, 'not now')
    assert.equal(asApplyFailure(error), error)
  }
})
