import assert from 'node:assert/strict'
import {readFileSync} from 'node:fs'
import {test} from 'node:test'
import {z} from 'zod'
import type {Health} from '#shared/model/cluster-report.ts'
import {isJsonObject, type JsonObject} from '#shared/model/manifest.ts'
import {computeHealth} from '#shared/plan/compute-health.ts'
import {noHealthRules} from '#shared/plan/health-rules/compile-health-rules.ts'
import {agreesWithArgo} from '#shared/plan/health-words.ts'

const folder = new URL('conformance/', import.meta.url)

const caseSchema = z.object({
  suite: z.string(),
  case: z.string(),
  expected: z.string(),
  object: z.custom<JsonObject>(isJsonObject),
})

function readCases(file: string): z.infer<typeof caseSchema>[] {
  const lines = readFileSync(new URL(file, folder), 'utf8').trim().split('\n')
  return lines.map((line) => caseSchema.parse(JSON.parse(line)))
}

test("agrees with kstatus on all of its own tests' objects", () => {
  const cases = readCases('kstatus.ndjson')
  assert.ok(cases.length >= 52)
  const got = cases.map(
    ({suite, case: name, object}) => `${suite} ${name}: ${computeHealth(object).health satisfies Health}`,
  )
  assert.deepEqual(
    got,
    cases.map(({suite, case: name, expected}) => `${suite} ${name}: ${expected}`),
  )
})

test('judges third-party objects as Argo CD does, but for those that docs/health.md explains', (t) => {
  const cases = readCases('health.ndjson')
  const others = cases.filter(({object, expected}) => !agreesWithArgo(computeHealth(object).health, expected))
  t.diagnostic(`${cases.length - others.length} of ${cases.length} agree`)
  assert.ok(others.length <= 0.05 * cases.length, `${others.length} of ${cases.length} differ`)
  const explained = readFileSync(new URL('../../../docs/health.md', import.meta.url), 'utf8')
  for (const {object, case: name} of others) {
    const row = explained
      .split('\n')
      .find((line) => line.includes(`${object.kind}`) && line.includes(`\`${name.replace('.yaml', '')}\``))
    assert.ok(row !== undefined, `docs/health.md does not explain ${object.kind} ${name}`)
  }
})

test('judges most third-party objects as Argo CD does without a rule for any of their kinds', (t) => {
  const cases = readCases('health.ndjson')
  const health = (object: JsonObject): Health => computeHealth(object, {rules: noHealthRules}).health
  const agreed = cases.filter(({object, expected}) => agreesWithArgo(health(object), expected)).length
  t.diagnostic(`${agreed} of ${cases.length} agree`)
  assert.ok(agreed >= 0.7 * cases.length, `only ${agreed} of ${cases.length} agree`)
})

test('says for every object why it is what it is', () => {
  for (const {object} of readCases('health.ndjson')) assert.notEqual(computeHealth(object).reason.trim(), '')
})
