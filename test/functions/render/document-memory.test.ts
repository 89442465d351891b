import assert from 'node:assert/strict'
import {test} from 'node:test'
import fc from 'fast-check'
import {parseAllDocuments} from 'yaml'
import {createDocumentMemory, splitDocuments} from '#functions/render/document-memory.ts'
import {readYaml} from '#functions/render/read-yaml.ts'

const line = fc.oneof(
  fc.constantFrom(
    '---',
    '--- # comment',
    '--- text',
    '---text',
    ' ---',
    '# comment',
    '',
    'a: 1',
    '  b: 2',
    '- x',
    'c: |',
    '  ---',
    'd: >-',
  ),
  fc.constantFrom(
    '"',
    "'",
    'e: "x',
    '  y"',
    '&a 1',
    '*a',
    '{f: 1}',
    '[1,',
    '2]',
    '...',
    '%YAML 1.1',
    '\t',
    '--- |',
    '--- &b',
    '!!str',
  ),
)

test('documents of a stream are those that the parser finds in the whole', () => {
  const read = (text: string) =>
    Array.from(parseAllDocuments(text, {version: '1.1', uniqueKeys: false, logLevel: 'silent', prettyErrors: false}))
  fc.assert(
    fc.property(fc.array(line, {maxLength: 12}), (lines) => {
      const text = lines.join('\n')
      const whole = read(text)
      const parts = splitDocuments(text)
      if (parts === undefined || whole.some(({errors, warnings}) => errors.length + warnings.length > 0)) return
      assert.equal(parts.map((part) => part.text).join(''), text)
      const values = (documents: typeof whole): unknown[] => {
        try {
          return documents.filter(({contents}) => contents !== null).map((document) => document.toJS() ?? null)
        } catch (error) {
          return [error instanceof Error ? error.message : error]
        }
      }
      assert.deepEqual(values(parts.flatMap((part) => read(part.text))), values(whole))
    }),
    {numRuns: 3_000},
  )
})

test('lines and comments are those of the whole file, also of documents that were read before', () => {
  const text = '# first\na: 1\n---\n# second\n\nb: 2\n---\n---\n\nc: |\n  x\n  --- y\n'
  for (const shift of [0, 2, 0]) {
    const found = readYaml(`${'\n'.repeat(shift)}${text}`, 'a.yaml')
    assert.deepEqual(
      found.map(({value, line, comment}) => [value, line - shift, comment.trim()]),
      [
        [{a: 1}, 2, ''],
        [{b: 2}, 6, 'second'],
        [{c: 'x\n--- y\n'}, 10, ''],
      ],
    )
  }
})

test('a problem is told with its line in the whole file', () => {
  assert.throws(() => readYaml('a: 1\n---\nb: 1\n---\nc: [\n', 'a.yaml'), {code: 'YAML_INVALID'})
  try {
    readYaml('a: 1\n---\nb: 1\nb: 2\n', 'a.yaml')
    assert.fail('a key twice is refused')
  } catch (error) {
    assert.deepEqual((error as {details: unknown}).details, {file: 'a.yaml', line: 4})
  }
})

test('remembers what was used last, within its size, and nothing that failed', () => {
  const memory = createDocumentMemory(30)
  const reads: string[] = []
  const recall = (text: string) =>
    memory.recall(text, () => {
      reads.push(text[0] ?? '')
      if (text.startsWith('!')) throw new Error('no')
      return {value: {text}, line: 1, comment: ''}
    })
  for (const text of ['a', 'b', 'a', 'c', 'a', 'd', 'b']) recall(text.repeat(10))
  assert.deepEqual(reads, ['a', 'b', 'c', 'd', 'b'])
  for (let time = 0; time < 2; time++) assert.throws(() => recall('!'))
  assert.equal(reads.length, 7)
  const value = recall('a'.repeat(10))?.value
  assert.throws(() => Object.assign(value as object, {text: 'changed'}), TypeError)
})
