import assert from 'node:assert/strict'
import {test} from 'node:test'
import type {JsonObject} from '#shared/model/manifest.ts'
import {computeHealth} from '#shared/plan/compute-health.ts'
import {ExpressionError, loadExpressionCompiler} from '#shared/plan/evaluate-expression.ts'
import {compileHealthExprs} from '#shared/plan/health-rules/compile-health-exprs.ts'
import {HealthRuleError} from '#shared/plan/health-rules/health-rule.ts'

const ready = (status: string): JsonObject => ({conditions: [{type: 'Ready', status}], replicas: 3, share: 0.5})

for (const [text, expected] of [
  ["status.conditions.filter(c, c.type == 'Ready').all(c, c.status == 'True')", true],
  ["status.conditions.exists(c, c.type == 'Ready' && c.status == 'False')", false],
  ['status.replicas == 3', true],
  ['status.replicas + 1 > 3 && status.share < 1.0', true],
  ['has(status.phase)', false],
  ["has(status.phase) && status.phase == 'Running'", false],
  ["'Ready'.lowerAscii() == 'ready'", true],
  ["metadata.labels['drawbridge.dev/app'].matches('^w.b$')", true],
  ["status.conditions.map(c, c.type) == ['Ready']", true],
  ['size(status.conditions) == 1', true],
  ["status.conditions.filter(c, c.type == 'all(any(all(map(') == []", true],
] as const) {
  test(`evaluates ${text}`, async () => {
    const compile = await loadExpressionCompiler()
    const variables = {status: ready('True'), metadata: {labels: {'drawbridge.dev/app': 'web'}}}
    assert.equal(compile(text)(variables), expected)
  })
}

test('answers with a problem where a field is not there, or the value is no bool', async () => {
  const compile = await loadExpressionCompiler()
  for (const text of ['status.nothing == 1', 'status.replicas', 'unknown == 1']) {
    const answer = compile(text)({status: ready('True')})
    assert.equal(typeof answer === 'object' && answer.problem.length > 0, true, text)
  }
})

test('refuses what cannot be parsed, is too long, or multiplies the work', async () => {
  const compile = await loadExpressionCompiler()
  const nested = 'a.all(x, a.exists(y, a.all(z, a.all(w, w == x))))'
  for (const text of ['status.', 'a == ', `a == '${'x'.repeat(5_000)}'`, nested]) {
    assert.throws(() => compile(text), ExpressionError, text.slice(0, 50))
  }
  assert.equal(compile('a.all(x, a.exists(y, y == x)) && a.all(x, x > 0)')({a: [1, 2]}), true)
})

const widget = (status?: JsonObject): JsonObject => ({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: {name: 'x', generation: 1},
  ...(status === undefined ? {} : {status}),
})

for (const [name, status, health] of [
  ['is in progress before it has a status', undefined, 'InProgress'],
  ['is in progress while inProgress holds, whatever else does', {phase: 'Pending', broken: true}, 'InProgress'],
  ['failed where failed holds, even if current does too', {phase: 'Up', broken: true}, 'Failed'],
  ['is current where current holds', {phase: 'Up', broken: false}, 'Current'],
  ['is in progress where none holds', {phase: 'Odd', broken: false}, 'InProgress'],
] as const) {
  test(`a kind with health expressions ${name}`, async () => {
    const rules = await compileHealthExprs([
      {
        apiVersion: 'example.com/v1beta1',
        kind: 'Widget',
        inProgress: "has(status.phase) && status.phase == 'Pending'",
        failed: 'status.broken',
        current: "status.phase == 'Up'",
      },
    ])
    assert.equal(computeHealth(widget(status), {rules}).health, health)
  })
}

test('names the expression that cannot be used', async () => {
  await assert.rejects(
    compileHealthExprs([{apiVersion: 'example.com/v1', kind: 'Widget', current: 'status.('}]),
    (error) => error instanceof HealthRuleError && /current of example.com\/v1 Widget/.test(error.message),
  )
})
