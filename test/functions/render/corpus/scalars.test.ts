import assert from 'node:assert/strict'
import {before, suite, test} from 'node:test'
import fc from 'fast-check'
import {type BoxResult, renderFiles} from '../box-fixture.ts'
import {openList, readAsKubectl, toComparable} from '../reference-renderers.ts'
import {foreignFiles, type Layout, layouts} from './layouts.ts'
import {asItem, asKey, asListItem, asValue, keys, known, knownKeys, pieces, scalars} from './scalars.ts'

// Scalars and layouts, read by kubectl and by the box.

const documents: readonly Layout[] = [
  ...scalars.map((scalar) => ({name: `value ${JSON.stringify(scalar)}`, content: asValue(scalar)})),
  ...scalars.map((scalar) => ({name: `list item ${JSON.stringify(scalar)}`, content: asListItem(scalar)})),
  ...scalars
    .filter((scalar) => !scalar.includes('\n'))
    .map((scalar) => ({name: `item ${JSON.stringify(scalar)}`, content: asItem(scalar)})),
  ...keys.map((key) => ({name: `key ${JSON.stringify(key)}`, content: asKey(key)})),
]

/** The words for each document that the box reads otherwise than kubectl did. */
async function findDifferences(
  all: readonly Layout[],
  expected: readonly (unknown[] | undefined)[],
): Promise<string[]> {
  const differences: string[] = []
  for (const [index, {name, content, stricter}] of all.entries()) {
    const found = await readInBox(content)
    const difference = describeDifference(found, expected[index], stricter)
    // A key twice is refused on purpose; that a merge key's map has the key too is no such thing.
    const isTwice = !found.ok && found.message.includes('already set in map') && !String(content).includes('<<')
    if (difference !== undefined && !isTwice) differences.push(`${name}: ${JSON.stringify(content)}: ${difference}`)
  }
  return differences
}

async function readInBox(content: string | Uint8Array): Promise<BoxResult> {
  return renderFiles({renderer: 'yaml', files: {'app/a.yaml': content}, path: 'app'})
}

function describeDifference(
  found: BoxResult,
  expected: unknown[] | undefined,
  stricter: {line: number} | undefined,
): string | undefined {
  if (stricter !== undefined) {
    if (found.ok) return 'the box lets it pass'
    if (found.file === 'app/a.yaml' && found.line === stricter.line) return undefined
    return `refused at ${found.file}:${found.line}, not at line ${stricter.line}`
  }
  if (!found.ok) return expected === undefined ? undefined : `kubectl reads it, the box says ${found.message}`
  if (expected === undefined) return `kubectl refuses it, the box reads ${found.objects.join(' ')}`
  try {
    assert.deepEqual(found.objects.flatMap(openList), expected)
    return undefined
  } catch {
    return `the box reads ${found.objects.join(' ')}`.slice(0, 300)
  }
}

suite('reading as kubectl reads', () => {
  let expected: (unknown[] | undefined)[] = []
  before(async () => {
    expected = await readAsKubectl([...documents, ...layouts].map(({content}) => content))
  })

  test('the table is as large as it has to be, and holds what kubectl takes and what it refuses', () => {
    assert.ok(scalars.length >= 400, `${scalars.length} scalars`)
    assert.ok(layouts.length >= 100, `${layouts.length} layouts`)
    const refused = expected.filter((each) => each === undefined).length
    assert.ok(refused >= 200 && refused < expected.length / 2, `${refused} of ${expected.length} refused`)
  })

  test('kubectl reads what it is known to read', async () => {
    const found = await readAsKubectl([
      ...known.map(({scalar}) => asValue(scalar)),
      ...knownKeys.map(({key}) => asKey(key)),
    ])
    for (const [index, {scalar, json}] of known.entries()) {
      const value = json === undefined ? undefined : [{...one, data: {v: toComparable(`[${json}]`)}}]
      const wanted = value?.map((each) => ({...each, data: {v: (each.data.v as unknown[])[0]}}))
      assert.deepEqual(found[index], wanted, scalar)
    }
    for (const [index, {key, name}] of knownKeys.entries()) {
      assert.deepEqual(found[known.length + index], name === undefined ? undefined : [{...one, data: {[name]: 1}}], key)
    }
  })

  test('the box reads scalars as kubectl does', async () => {
    assert.deepEqual(await findDifferences(documents, expected), [])
  })

  for (const [index, layout] of layouts.entries()) {
    test(`the box reads as kubectl does ${layout.name}`, async () => {
      assert.deepEqual(await findDifferences([layout], expected.slice(documents.length + index)), [])
      if (!/byte|NUL|control|escape character/.test(layout.name)) return
      const found = await readInBox(layout.content)
      assert.ok(!found.ok)
      assert.equal(found.file, 'app/a.yaml')
      assert.ok(found.line !== undefined && found.line >= 5, `line ${found.line}`)
    })
  }

  test('the box keeps digits as they are', async () => {
    for (const {scalar, json} of known) {
      const found = await readInBox(asValue(scalar))
      assert.equal(found.ok, json !== undefined, scalar)
      if (found.ok) assert.ok(found.objects[0]?.includes(`"v":${json}}`), `${scalar}: ${found.objects[0]}`)
    }
  })

  for (const {name, path, content, says} of foreignFiles) {
    test(`the box calls ${name} by its name`, async () => {
      const files = {'app/a.yaml': asValue('1'), [`app/${path}`]: content}
      const found = await renderFiles({renderer: 'yaml', files, path: 'app'})
      assert.ok(!found.ok)
      assert.match(`${found.file}: ${found.message}`, says)
      assert.equal(found.file, `app/${path}`)
    })
  }
})

const one = {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'a'}}

test('the box reads generated scalars and layouts as kubectl does', async () => {
  const scalar = fc.oneof(
    fc.array(fc.constantFrom(...pieces.number), {minLength: 1, maxLength: 6}),
    fc.array(fc.constantFrom(...pieces.any), {minLength: 1, maxLength: 8}),
  )
  const place = fc.constantFrom(asValue, asItem, asListItem, asKey)
  const seed = Date.now() % 1_000_000
  const generated = fc
    .sample(fc.tuple(place, scalar), {numRuns: 600, seed})
    .map(([at, parts]) => ({name: `seed ${seed}, ${at.name}`, content: at(parts.join(''))}))
  const expected = await readAsKubectl(generated.map(({content}) => content))
  assert.ok(expected.filter((each) => each !== undefined).length > 200)
  assert.deepEqual(await findDifferences(generated, expected), [])
})
