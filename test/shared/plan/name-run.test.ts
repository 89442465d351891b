import assert from 'node:assert/strict'
import {test} from 'node:test'
import {isGenerated, isRunOf, nameGenerated, nameRun} from '#shared/plan/name-run.ts'

const run = {declared: nameGenerated('migrate-', '{}'), bundle: 'sha256:1', phase: 'PreSync'} as const

test('a run has a name by its hook, bundle and phase, and the same one every time', () => {
  const name = nameRun('migrate-', run)
  assert.match(name, /^migrate-[0-9a-f]{10}-presync$/)
  assert.equal(nameRun('migrate-', {...run}), name)
  const others = [{declared: 'migrate-1'}, {bundle: 'sha256:2'}, {phase: 'PostSync'}] as const
  assert.equal(new Set([name, ...others.map((other) => nameRun('migrate-', {...run, ...other}))]).size, 4)
})

test('a name fits where a Job has 63 characters, however long its generateName is', () => {
  for (const length of [1, 44, 45, 63, 253]) {
    const name = nameRun('a'.repeat(length), {...run, phase: 'PostSync'})
    assert.ok(name.length <= 63 && isRunOf('a'.repeat(length), name), name)
  }
})

for (const [what, name, expected] of [
  ['a run', nameRun('migrate-', run), true],
  ['the hook as it is declared', run.declared, false],
  ['a run of another hook', nameRun('migrate-data-', run), false],
  ['what merely begins like it', 'migrate-by-hand', false],
  ['what goes on after it', `${nameRun('migrate-', run)}-x`, false],
] as const) {
  test(`tells whether it is a run: ${what}`, () => assert.equal(isRunOf('migrate-', name), expected))
}

for (const [what, generateName, name, expected] of [
  ['what render named', 'migrate-', run.declared, true],
  ['a name of its own beside a generateName', 'migrate-', 'migrate-schema', false],
  ['another name', 'migrate-', 'nightly', false],
  ['no generateName', undefined, run.declared, false],
  ['an empty one', '', '0123456789', false],
] as const) {
  test(`tells whether a hook's name is generated: ${what}`, () =>
    assert.equal(isGenerated(generateName, name), expected))
}
