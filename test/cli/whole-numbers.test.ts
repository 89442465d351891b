import assert from 'node:assert/strict'
import {test} from 'node:test'
import {parseAllDocuments} from 'yaml'
import {formatField} from '#cli/format-field.ts'
import {formatYaml} from '#cli/format-yaml.ts'
import {printRows} from '#cli/print-rows.ts'

const [even, odd] = [2n ** 53n, 2n ** 53n + 1n]

test('a rendered object has the digits of its numbers, and texts of digits in quotes', () => {
  const text = formatYaml({
    apiVersion: 'v1',
    kind: 'Box',
    metadata: {name: 'a'},
    max: 2n ** 63n - 1n,
    text: `${odd}`,
  })
  assert.match(text, /^max: 9223372036854775807$/m)
  assert.match(text, /^text: "9007199254740993"$/m)
  const [read] = parseAllDocuments(text, {intAsBigInt: true, version: '1.1'})
  assert.deepEqual(read?.toJS(), {
    apiVersion: 'v1',
    kind: 'Box',
    metadata: {name: 'a'},
    max: 2n ** 63n - 1n,
    text: `${odd}`,
  })
})

test('a field that differs by one beyond 2^53 is shown with both numbers', () => {
  const shown = formatField({path: '/spec/size', difference: 'changed', from: even, to: [odd]})
  assert.equal(shown, '/spec/size: 9007199254740992 → [9007199254740993]')
})

for (const [format, expected] of [
  ['json', '[\n  {\n    "from": 9007199254740992\n  }\n]\n'],
  ['yaml', '- from: 9007199254740992\n'],
] as const) {
  test(`rows are printed as ${format} with the digits of their numbers`, () => {
    let printed = ''
    const out = (text: string) => {
      printed += text
    }
    printRows({out}, {rows: [{from: even}], columns: [], format, name: () => ''})
    assert.equal(printed, expected)
  })
}
