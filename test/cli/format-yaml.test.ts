import assert from 'node:assert/strict'
import {test} from 'node:test'
import fc from 'fast-check'
import {formatYaml} from '#cli/format-yaml.ts'
import {readAsKubectl} from '../functions/render/reference-renderers.ts'

/** What kubectl reads of a value that was printed. */
async function readBack(value: unknown): Promise<unknown> {
  const [objects] = await readAsKubectl([`---\n${formatYaml({apiVersion: 'v1', kind: 'Box', value})}`])
  const [object] = objects ?? []
  return typeof object === 'object' && object !== null && 'value' in object ? object.value : undefined
}

const looksLikeAnother = fc.string({unit: fc.constantFrom(...'0123456789xXoObBeE_+-.:,~yYnNtTfF<= #\'"{}[]&*!|>%@`')})
const words = fc.constantFrom(
  ...['', '0XB4', '0O17', '1E0_25', '0x_', '1_000', '190:20:30', '2024-01-01', '2024-01-01T00:00:00Z', '+.inf', '.NaN'],
  ...['y', 'No', 'ON', 'False', 'NULL', '~', '<<', '=', '---', '- a', '? b', 'a: b', 'a #b', '0777', '08', '+1', '-0'],
)
const lines = fc
  .array(fc.string({unit: fc.constantFrom(...'ab0:#-\t "\'\\')}), {minLength: 2})
  .chain((parts) => fc.constantFrom('\n', '\r\n', '\n\n', '\n  ').map((between) => parts.join(between)))
const text = fc.oneof(words, looksLikeAnother, lines, fc.string({unit: 'binary'}), fc.string({unit: 'grapheme'}))

test('every text is read back by kubectl as it was, as a value, in a list and as a key', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(text, {minLength: 300, maxLength: 600}), async (texts) => {
      const value = {values: texts, nested: [{keys: Object.fromEntries(texts.map((key) => [key, `of ${key}`]))}]}
      assert.deepEqual(await readBack(value), value)
    }),
    {numRuns: 12, endOnFailure: true},
  )
})

const isBig = (number: number) =>
  Number.isInteger(number) && !Number.isSafeInteger(number) && Math.abs(number) < 2 ** 64

test('numbers are read back as they were, whole ones with all their digits', async () => {
  const numbers = [0, 1, -1, 0.1, 1e21, -1.5e-7, 2 ** 53 - 1, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]
  assert.deepEqual(await readBack(numbers), numbers)
  assert.match(formatYaml({value: 2n ** 64n - 1n}), /^value: 18446744073709551615$/m)
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.double({noNaN: true, noDefaultInfinity: true}), fc.maxSafeInteger()), {minLength: 100}),
      async (some) => {
        // A whole number beyond 2^53 is a bigint in a manifest.
        const found = some.map((number) => (Object.is(number, -0) || isBig(number) ? 0 : number))
        assert.deepEqual(await readBack(found), found)
      },
    ),
    {numRuns: 5, endOnFailure: true},
  )
})

test('what nobody could misread has no quotes', () => {
  const value = {apiVersion: 'apps/v1', image: 'ghcr.io/app/web:1.2', args: ['--verbose', 'a b'], script: 'one\ntwo\n'}
  assert.equal(
    formatYaml(value),
    'apiVersion: apps/v1\nimage: ghcr.io/app/web:1.2\nargs:\n  - "--verbose"\n  - a b\nscript: |\n  one\n  two\n',
  )
})
