import assert from 'node:assert/strict'
import {test} from 'node:test'
import {RE2JS} from '@bufbuild/re2'
import fc from 'fast-check'
import {estimateProgram} from '#shared/plan/estimate-program.ts'
import {MAX_INSTRUCTIONS, matchPattern, PatternTooLarge} from '#shared/plan/match-pattern.ts'

const free = () => undefined

const atom = fc.constantFrom(
  'a',
  'b',
  '.',
  '[ab]',
  '[^a]',
  '[]a]',
  '[[:alpha:](]',
  '\\d',
  '\\b',
  '\\B',
  '^',
  '$',
  'ü',
  '😀',
  '\\)',
  '(?i)A',
  '\\n',
)
const {pattern} = fc.letrec<{pattern: string; part: string}>((tie) => ({
  part: fc.oneof(
    {depthSize: 'small', withCrossShrink: true},
    atom,
    fc
      .tuple(tie('part'), fc.constantFrom('*', '+', '?', '{2}', '{1,3}', '{0,2}', '{2,}'))
      .map(([part, times]) => `(?:${part})${times}`),
    fc
      .tuple(tie('pattern'), fc.constantFrom('(', '(?:', '(?i:', '(?s:', '(?m:'))
      .map(([inner, open]) => `${open}${inner})`),
  ),
  pattern: fc
    .array(tie('part'), {minLength: 1, maxLength: 4})
    .map((parts) => parts.join(''))
    .chain((one) => fc.constantFrom(one, `${one}|b`, `${one}$`)),
}))
const text = fc.string({unit: fc.constantFrom('a', 'b', 'A', 'ü', '😀', '\n', '1', ' ', ')'), maxLength: 12})

test('matches what RE2 matches, of a pattern that is never larger than twice its estimate', () => {
  fc.assert(
    fc.property(pattern, text, (pattern, text) => {
      const compiled = RE2JS.compile(pattern) as unknown as {re2Input: {prog: {inst: unknown[]}}}
      const size = compiled.re2Input.prog.inst.length
      assert.ok(
        2 * estimateProgram(pattern) >= size,
        `${pattern} has ${size}, and is taken for ${estimateProgram(pattern)}`,
      )
      // What may be larger is refused before it is compiled.
      if (estimateProgram(pattern) > MAX_INSTRUCTIONS) return
      assert.equal(
        matchPattern(pattern, text, free),
        RE2JS.compile(pattern).test(text),
        `${pattern} in ${JSON.stringify(text)}`,
      )
    }),
    {numRuns: 500},
  )
})

for (const [pattern, text, expected] of [
  ['^v?\\d+\\.\\d+\\.\\d+(-[0-9A-Za-z.-]+)?$', 'v1.20.3-rc.1', true],
  ['^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$', 'a.example.com', true],
  ['^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$', '01234567-89ab-cdef-0123-456789abcdef', true],
  ['(?i)^ready$', 'READY', true],
  ['Ready', 'NotRead', false],
] as const) {
  test(`${pattern} ${expected ? 'is' : 'is not'} in ${text}, for little`, () => {
    let steps = 0
    assert.equal(
      matchPattern(pattern, text, (more) => {
        steps += more
      }),
      expected,
    )
    assert.ok(steps < 100_000, `${steps} steps`)
  })
}

for (const pattern of [
  '(a{1,100}){1,10}',
  'a{1000}{1000}',
  '((a{10}){10}){10}',
  '\\pL',
  '[\\pN]',
  '\\Q)\\E',
  'a'.repeat(5_000),
]) {
  test(`${pattern.slice(0, 20)} is not even compiled`, () => {
    assert.throws(() => matchPattern(pattern, 'a', free), PatternTooLarge)
  })
}
