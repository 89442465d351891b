import assert from 'node:assert/strict'
import {test} from 'node:test'
import {isFailed, readOpenOutcomes} from '#cli/read-status.ts'
import {keepOutcome} from '#functions/status/keep-outcome.ts'
import {API_VERSION} from '#shared/model/api-version.ts'
import type {Outcome} from '#shared/model/outcome.ts'
import {startTrace} from '#shared/model/trace.ts'
import {createMemoryObjectStore} from '../../fakes/memory-object-store.ts'
import {COMMIT_1, COMMIT_2, REPOSITORY} from './status-kit.ts'

const broken = {code: 'YAML_INVALID', message: 'not YAML', app: 'web', file: 'web/a.yaml', line: 3}

function outcome(minute: number, more: Partial<Outcome> = {}): Outcome {
  return {
    apiVersion: API_VERSION,
    kind: 'Outcome',
    stage: 'render',
    repository: REPOSITORY,
    ref: 'refs/heads/main',
    commit: COMMIT_1,
    findings: [],
    trace: startTrace({rendered: new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString()}),
    ...more,
  }
}

const refused = {stage: 'publish' as const, cluster: 'dev', findings: [{code: 'NAME_TAKEN', message: 'taken'}]}
const other = 'https://git.example/other'
const head = {from: '', to: 'm'}
const tail = {from: 'm'}
const cases: [string, Outcome[], string[]][] = [
  ['nothing', [], []],
  ['a commit that rendered', [outcome(1)], []],
  ['a commit that did not', [outcome(1, {findings: [broken]})], ['render 1']],
  ['one that was mended', [outcome(1, {findings: [broken]}), outcome(2, {commit: COMMIT_2})], []],
  ['an old failure that comes late', [outcome(2, {commit: COMMIT_2}), outcome(1, {findings: [broken]})], []],
  ['what publish refused of the last commit', [outcome(1), outcome(1, refused)], ['publish 1']],
  ['what publish refused of an older one', [outcome(1), outcome(1, refused), outcome(2, {commit: COMMIT_2})], []],
  [
    'two ranges of which one failed',
    [outcome(1, {range: head}), outcome(2, {range: tail, findings: [broken]})],
    ['render 1'],
  ],
  [
    'the same the other way round',
    [outcome(2, {range: tail, findings: [broken]}), outcome(1, {range: head})],
    ['render 1'],
  ],
  ['a range that was mended', [outcome(1, {range: tail, findings: [broken]}), outcome(2, {range: tail})], []],
  ['a range, then the whole', [outcome(1, {range: tail, findings: [broken]}), outcome(2)], []],
  ['a range of a newer commit', [outcome(1, {findings: [broken]}), outcome(2, {commit: COMMIT_2, range: head})], []],
  [
    'two repositories',
    [outcome(1, {findings: [broken]}), outcome(2, {repository: other, findings: [broken], commit: COMMIT_2})],
    ['render 1', 'render 2'],
  ],
]

for (const [name, outcomes, failed] of cases)
  test(`tells which commits did not come to be, of ${name}`, async () => {
    const store = createMemoryObjectStore()
    for (const each of outcomes) await keepOutcome(store, each)
    const found = (await readOpenOutcomes(store)).filter(isFailed)
    assert.deepEqual(found.map(({stage, commit}) => `${stage} ${commit[0]}`).sort(), failed)
  })

test('of outcomes written at once the one rendered last stays', async () => {
  const store = createMemoryObjectStore()
  const late = outcome(9, {findings: [broken]})
  await Promise.all([outcome(3), late, outcome(5)].map((each) => keepOutcome(store, each)))
  assert.deepEqual(await readOpenOutcomes(store), [late])
})
