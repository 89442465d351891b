import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import type {RenderPool} from '#functions/render/box/render-pool.ts'
import {appSchema} from '#shared/model/app.ts'
import {configMap, objectsOf, openPool, renderFiles, webApp} from './render-files.ts'

let pool: RenderPool
before(async () => {
  pool = await openPool({threads: 1})
})
after(() => pool.close())

const files = {
  'web/a.yaml': configMap('a'),
  'web/d.yaml': configMap('d'),
  'web/readme.md': 'x\n',
  'web/sub/d.yaml': configMap('sub-d'),
  'web/sub/deep/d.yaml': configMap('deep-d'),
  'web/more/sub/e.yaml': configMap('more-e'),
}
const all = ['a', 'd', 'sub-d', 'deep-d', 'more-e']

async function renderWith(yaml: object, extra: Record<string, string> = {}) {
  const result = await renderFiles(pool, {...files, ...extra}, {spec: {source: {path: 'web'}, yaml}})
  if ('error' in result) throw result.error
  const names = objectsOf(result).map(({metadata}) => metadata.name)
  return {names: all.filter((name) => names.includes(name)), warnings: result.rendered.warnings}
}

for (const [pattern, left] of [
  ['sub/', ['a', 'd']],
  ['sub', ['a', 'd']],
  ['/sub/', ['a', 'd', 'more-e']],
  ['/sub', ['a', 'd', 'more-e']],
  ['./sub', ['a', 'd', 'more-e']],
  ['d.yaml', ['a', 'more-e']],
  ['/d.yaml', ['a', 'sub-d', 'deep-d', 'more-e']],
  ['./sub/d.yaml', ['a', 'd', 'deep-d', 'more-e']],
  ['/sub/d.yaml', ['a', 'd', 'deep-d', 'more-e']],
  ['sub/d.yaml', ['a', 'd', 'deep-d', 'more-e']],
  ['**/d.yaml', ['a', 'more-e']],
  ['*.md', all],
] as const) {
  test(`exclude ${pattern} leaves out what it would in a .gitignore of the folder`, async () => {
    const {names, warnings} = await renderWith({exclude: [pattern]})
    assert.deepEqual(names, left)
    assert.deepEqual(warnings, [])
  })
}

test('include takes folders, and paths that begin with a slash', async () => {
  assert.deepEqual((await renderWith({include: ['sub/']})).names, ['sub-d', 'deep-d', 'more-e'])
  assert.deepEqual((await renderWith({include: ['/sub/']})).names, ['sub-d', 'deep-d'])
  assert.deepEqual((await renderWith({include: ['./d.yaml']})).names, ['d'])
})

for (const [pattern, words] of [
  [
    'web/sub/d.yaml',
    /"web\/sub\/d\.yaml" matches nothing in web\. Patterns are relative to source\.path; did you mean sub\/d\.yaml\?/,
  ],
  ['/web/sub', /did you mean sub\?/],
  ['sbu/', /"sbu\/" matches nothing in web/],
  ['a.yaml/', /matches nothing/],
] as const) {
  test(`exclude ${pattern} matches nothing, and that is told`, async () => {
    const {names, warnings} = await renderWith({exclude: [pattern]})
    assert.deepEqual(names, all)
    assert.deepEqual(
      warnings.map(({code}) => code),
      ['PATTERN_UNUSED'],
    )
    assert.match(warnings[0]?.message ?? '', words)
  })
}

test('a pattern about what another one leaves out already is not told', async () => {
  assert.deepEqual((await renderWith({exclude: ['/sub', 'sub/d.yaml']})).warnings, [])
})

for (const [yaml, extra, words] of [
  [{exclude: ['*.yaml']}, {}, /Left out of web are 5 files by spec\.yaml\.exclude\./],
  [{exclude: ['*']}, {}, /are 2 files and 2 folders by spec\.yaml\.exclude\./],
  [{}, {'web/.drawbridgeignore': '*\n'}, /are 2 files and 2 folders by web\/\.drawbridgeignore\./],
  [{}, {'.sourceignore': '**/*.yaml\n'}, /are 5 files by \.sourceignore\./],
  [{include: ['*.yml']}, {}, /are 5 files by spec\.yaml\.include\./],
  [
    {include: ['a.yaml'], exclude: ['/a.yaml']},
    {},
    /are 1 file by spec\.yaml\.exclude, 4 files by spec\.yaml\.include\./,
  ],
] as const) {
  test(`an app of which nothing is left says what left it out: ${JSON.stringify({yaml, extra})}`, async () => {
    const {names, warnings} = await renderWith(yaml, extra)
    assert.deepEqual(names, [])
    assert.equal(warnings[0]?.code, 'EMPTY_RENDER')
    assert.match(warnings[0]?.message ?? '', words)
  })
}

test('an app that may be empty is not told of', async () => {
  const spec = {source: {path: 'web'}, yaml: {exclude: ['*']}, sync: {allowEmpty: true}}
  const result = await renderFiles(pool, files, {spec})
  assert.ok('rendered' in result)
  assert.deepEqual(result.rendered.warnings, [])
})

for (const [pattern, reason] of [
  ['[a-', /no glob pattern: \[ is not closed/],
  ['a{b,c', /no glob pattern: \{ is not closed/],
  ['a\\', /a backslash ends it/],
  ['!a', /a negation/],
  ['../a', /leaves its folder/],
  ['./', /no name of a file/],
] as const) {
  test(`${pattern} is refused as a pattern`, () => {
    const app = webApp()
    const parsed = appSchema.safeParse({...app, spec: {...app.spec, yaml: {exclude: [pattern]}}})
    assert.equal(parsed.success, false)
    assert.match(parsed.error?.issues[0]?.message ?? '', reason)
  })
}

test('classes, braces and escapes are patterns', () => {
  const app = webApp()
  const exclude = ['[]a]', '[!a]b', '{a,b}', 'a\\[', 'a}', '*', '**/x?.yaml']
  assert.equal(appSchema.safeParse({...app, spec: {...app.spec, yaml: {exclude}}}).success, true)
})
