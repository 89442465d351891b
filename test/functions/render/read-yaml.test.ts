import assert from 'node:assert/strict'
import {test} from 'node:test'
import fc from 'fast-check'
import {stringify} from 'yaml'
import {readYaml} from '#functions/render/read-yaml.ts'
import {RenderError} from '#functions/render/render-error.ts'

function values(text: string): unknown[] {
  return readYaml(text, 'a.yaml').map(({value}) => value)
}

function throwsAt(text: string, line: number | undefined): void {
  assert.throws(
    () => readYaml(text, 'a.yaml'),
    (error) => error instanceof RenderError && error.code === 'YAML_INVALID' && error.place.line === line,
    text,
  )
}

test('reads scalars as Kubernetes does', () => {
  const text = `
octal: 0644
newOctal: 0o644
hex: 0x1F
binary: 0b11
yes: no
on: on
y: y
time: 2024-01-01T00:00:00Z
date: 2024-01-01
clock: 12:30:45
port: "8080"
float: 1.5
exponent: 1e3
none: ~
empty:
quoted: "0644"
text: v1.2.3
cpu: 100m
merge: &m {a: 1}
merged: {<<: *m, b: 2}
1: number
`
  assert.deepEqual(values(text), [
    {
      octal: 420,
      newOctal: 420,
      hex: 31,
      binary: 3,
      yes: false,
      on: true,
      y: true,
      time: '2024-01-01T00:00:00Z',
      date: '2024-01-01',
      clock: '12:30:45',
      port: '8080',
      float: 1.5,
      exponent: 1000,
      none: null,
      empty: null,
      quoted: '0644',
      text: 'v1.2.3',
      cpu: '100m',
      merge: {a: 1},
      merged: {a: 1, b: 2},
      1: 'number',
    },
  ])
})

test('tells documents apart with their lines, and leaves out empty ones', () => {
  const found = readYaml(
    '# head\n---\n---\na: 1\n---\n# only words\n---\n\n\nb: |\n  --- text\n  x\n...\n---\nc: 3\n',
    'a.yaml',
  )
  assert.deepEqual(
    found.map(({value, line}) => [value, line]),
    [
      [{a: 1}, 4],
      [{b: '--- text\nx\n'}, 10],
      [{c: 3}, 15],
    ],
  )
})

test('keeps the comment above a document', () => {
  const [first, second] = readYaml(
    '---\n# Source: c/templates/a.yaml\na: 1\n---\n# Source: c/templates/b.yaml\n# more\nb: 1\n',
    'a.yaml',
  )
  assert.match(first?.comment ?? '', /Source: c\/templates\/a\.yaml/)
  assert.match(second?.comment ?? '', /Source: c\/templates\/b\.yaml/)
})

test('tells what is wrong with its line', () => {
  throwsAt('a: 1\nb: [1\nc: 2\n', 3)
  throwsAt('a: 1\na: 2\n', 2)
  throwsAt('ok: 1\n---\na: "x\n', 4)
  throwsAt('a: !custom x\n', 1)
  throwsAt('a: *nothing\n', 1)
  throwsAt('? [1, 2]\n: x\n', 1)
  throwsAt('\ta: 1\n', 1)
})

test('lets a key be repeated where that is allowed, and the last one wins', () => {
  assert.deepEqual(readYaml('a: 1\nb: 2\na: 3\n', 'a.yaml', {uniqueKeys: false})[0]?.value, {a: 3, b: 2})
})

test('gives up on text whose aliases expand without bound', () => {
  const levels = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
  for (let level = 1; level < 30; level++)
    levels.push(
      `a${level}: &a${level} [${Array(10)
        .fill(`*a${level - 1}`)
        .join(', ')}]`,
    )
  const started = performance.now()
  throwsAt(levels.join('\n'), 1)
  assert.ok(performance.now() - started < 5_000)
})

const json = fc.letrec((tie) => ({
  value: fc.oneof(
    {depthSize: 'small'},
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.double({noDefaultInfinity: true, noNaN: true}).map((number) => (Object.is(number, -0) ? 0 : number)),
    fc.string({unit: 'grapheme'}),
    fc.constantFrom(
      'yes',
      'no',
      '0644',
      '1:30',
      '2024-01-01',
      '---',
      '# x',
      '- a',
      'a: b',
      '*a',
      '&a',
      '!x',
      '1e3',
      '0x10',
      '~',
      '',
    ),
    fc.array(tie('value'), {maxLength: 4}),
    fc.dictionary(
      fc.string({minLength: 1}).filter((key) => key !== '__proto__' && key !== '<<'),
      tie('value'),
      {maxKeys: 4},
    ),
  ),
}))

test('reads back any value that was written as YAML 1.1 or as JSON', () => {
  const document = fc.dictionary(
    fc.string({minLength: 1}).filter((key) => key !== '__proto__' && key !== '<<'),
    json.value,
    {minKeys: 1, maxKeys: 5},
  )
  fc.assert(
    fc.property(fc.array(document, {minLength: 1, maxLength: 3}), (documents) => {
      const plain: unknown = JSON.parse(JSON.stringify(documents))
      const text = documents
        .map((each) => stringify(each, {version: '1.1', aliasDuplicateObjects: false}))
        .join('---\n')
      assert.deepEqual(JSON.parse(JSON.stringify(values(text))), plain)
      const asJson = documents.map((each) => JSON.stringify(each)).join('\n---\n')
      assert.deepEqual(JSON.parse(JSON.stringify(values(asJson))), plain)
    }),
    {numRuns: 300},
  )
})

test('never fails but with a finding', () => {
  fc.assert(
    fc.property(fc.string({unit: fc.constantFrom(...'ab:-[]{}&*!|>\'"#%@`, \n\t?0~<.'), maxLength: 60}), (text) => {
      try {
        readYaml(text, 'a.yaml')
      } catch (error) {
        assert.ok(error instanceof RenderError, String(error))
      }
    }),
    {numRuns: 2000},
  )
})
