import assert from 'node:assert/strict'
import {test} from 'node:test'
import {nameFailures} from '#functions/status/name-failures.ts'

const failure = (app: string | undefined, words: string) => ({
  app,
  words: app === undefined ? words : `${app}: ${words}`,
})

const tables: readonly [what: string, failures: ReturnType<typeof failure>[], description: string][] = [
  ['one', [failure('web', 'no such image')], 'web: no such image'],
  [
    'two apps',
    [failure('web', 'no such image'), failure('api', 'forbidden')],
    'web: no such image; also failing (1): api',
  ],
  [
    'an app with two causes',
    [failure('web', 'a'), failure('web', 'b'), failure('api', 'c'), failure('api', 'd')],
    'web: a; also failing (1): api',
  ],
  [
    'what is no single app',
    [failure(undefined, 'the file is broken'), failure('api', 'c')],
    'the file is broken; also failing (1): api',
  ],
]

for (const [what, failures, description] of tables) {
  test(`names ${what}`, () => assert.equal(nameFailures(failures), description))
}

test('never takes more than 140 characters, and counts what has no room', () => {
  for (let count = 2; count < 60; count++) {
    const failures = Array.from({length: count}, (_, index) => failure(`app-number-${index}`, 'ü'.repeat(count * 5)))
    const text = nameFailures(failures)
    assert.ok([...text].length <= 140, text)
    assert.match(text, /^app-number-0: ü/)
    const named = text.match(/app-number-\d+/g)?.length ?? 0
    const more = Number(/(\d+) more$/.exec(text)?.[1] ?? 0)
    assert.equal(named + more, count, text)
  }
})
