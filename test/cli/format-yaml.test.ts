import assert from 'node:assert/strict'
import {test} from 'node:test'
import fc from 'fast-check'
import {parse} from 'yaml'
import {formatYaml} from '#cli/format-yaml.ts'
import {readAsKubectl, toComparable} from '#test/functions/render/reference-renderers.ts'

const text = fc.oneof(
  fc.string({unit: 'binary'}),
  fc.string({
    unit: fc.constantFrom('a', '0', ' ', '\n', '\t', ':', '-', '#', '"', "'", '.', 'e', '\r', '\u2028'),
    maxLength: 12,
  }),
)
const json = fc.letrec<{value: unknown}>((tie) => ({
  value: fc.oneof(
    {depthSize: 'small'},
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.double({noDefaultInfinity: true, noNaN: true}),
    text,
    fc.array(tie('value'), {maxLength: 4}),
    fc.dictionary(
      text.filter((key) => key !== '__proto__'),
      tie('value'),
      {maxKeys: 4},
    ),
  ),
}))

test('kubectl, and a reader of YAML 1.2, read back any value that was written', async () => {
  const values = fc.sample(json.value, 400)
  const objects = values.map((value) => ({apiVersion: 'example.com/v1', kind: 'Any', metadata: {name: 'a'}, value}))
  const texts = objects.map(formatYaml)
  const read = await readAsKubectl(texts)
  for (const [index, object] of objects.entries()) {
    const expected = toComparable(JSON.stringify(object))
    assert.deepEqual(read[index], [expected], texts[index])
    assert.deepEqual(toComparable(JSON.stringify(parse(texts[index] ?? ''))), expected, texts[index])
  }
})

for (const [name, value, expected] of [
  [
    'plain words stand as they are',
    {a: 'nginx:1.25', b: 'v1.2.3', c: 'a b', d: 'https://x/y'},
    'a: nginx:1.25\nb: v1.2.3\nc: a b\nd: https://x/y\n',
  ],
  [
    'what looks like something else stands in quotes',
    ['0XB4', '0O17', '1E0_25', 'yes', '~', ''],
    '- "0XB4"\n- "0O17"\n- "1E0_25"\n- "yes"\n- "~"\n- ""\n',
  ],
  [
    'lines stand below each other',
    {a: 'x\n y\n', b: 'x\n\ny', c: 'x\n\n\n'},
    'a: |\n  x\n   y\nb: |-\n  x\n\n  y\nc: |+\n  x\n\n\n',
  ],
  [
    'lists and maps',
    {a: [{b: 1, c: [[], {}]}, [2]], d: {e: null}},
    'a:\n  - b: 1\n    c:\n      - []\n      - {}\n  - - 2\nd:\n  e: null\n',
  ],
  ['nothing', [], '[]\n'],
  ['what is undefined is left out', {a: undefined, b: {c: undefined}}, 'b: {}\n'],
] as const) {
  test(`writes ${name}`, () => {
    assert.equal(formatYaml(value), expected)
  })
}
