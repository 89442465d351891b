import assert from 'node:assert/strict'
import {readFile} from 'node:fs/promises'
import {test} from 'node:test'
import {createConfigSchema} from '#functions/render/create-config-schema.ts'
import {parseConfig} from '#functions/render/parse-config.ts'
import {app, cluster} from './fleet-files.ts'
import {schemaFile} from './write-schema.ts'

/** `line: message` of each finding. */
function findings(text: string): string[] {
  return parseConfig(text).findings.map(({line, message}) => `${line}: ${message.replace('drawbridge.yaml: ', '')}`)
}

const head = 'apiVersion: drawbridge.dev/v1alpha1\nkind: App\nmetadata: {name: shop}\n'

test('reads apps and clusters with their defaults', () => {
  const {config, findings: none} = parseConfig(cluster('dev') + app('shop'))
  assert.deepEqual(none, [])
  assert.deepEqual(config.clusters[0]?.spec, {})
  assert.deepEqual(config.apps[0]?.spec, {
    source: {path: 'app'},
    clusters: ['dev'],
    createNamespace: false,
    sync: {prune: true, allowEmpty: false, drift: 'heal', timeoutSeconds: 300, deletionPolicy: 'Delete'},
  })
})

test('tells every problem at once, each with its line', () => {
  const text = `${cluster('dev')}${head}spec:\n  clusters: [dev]\n  sorce: {path: x}\n  sync: {timeoutSeconds: 0}\n  helm:\n    valuesFiles: [a]\n`
  const lines = findings(text)
  assert.equal(lines.length, 3)
  assert.ok(
    lines.some((line) => /^11: unknown field spec\.sorce in App; did you mean source\?$/.test(line)),
    lines.join('\n'),
  )
  assert.ok(
    lines.some((line) => /^12: App spec\.sync\.timeoutSeconds: Too small/.test(line)),
    lines.join('\n'),
  )
  assert.ok(
    lines.some((line) => /^14: unknown field spec\.helm\.valuesFiles in App; did you mean valueFiles\?$/.test(line)),
    lines.join('\n'),
  )
})

test('names the known fields where none is near', () => {
  assert.match(
    findings(`${cluster('dev')}${head}spec:\n  clusters: [dev]\n  source: {zzzzzz: 1}\n`)[0] ?? '',
    /^11: unknown field spec\.source\.zzzzzz in App; known are repository, ref, path$/,
  )
})

test('unknown kinds and documents that are no objects', () => {
  assert.deepEqual(findings('kind: Clutser\n'), [
    '1: unknown kind "Clutser"; did you mean Cluster? (apiVersion: drawbridge.dev/v1alpha1)',
  ])
  assert.match(findings('a: 1\n')[0] ?? '', /^1: the document has no kind; known are App and Cluster/)
  assert.match(findings('- 1\n')[0] ?? '', /^1: the document is not an object/)
  assert.match(findings(`${head.replace('v1alpha1', 'v9')}spec: {clusters: [dev]}\n`)[0] ?? '', /^1: App apiVersion/)
})

test('names declared twice and clusters that are not declared', () => {
  assert.match(findings(cluster('dev') + app('a') + app('a')).join(), /^13: App a is declared twice, first at line 6/)
  assert.match(findings(cluster('dev') + cluster('dev')).join(), /Cluster dev is declared twice, first at line 1/)
  assert.match(
    findings(cluster('prod') + app('a', '{clusters: [prdo]}')).join(),
    /App a names the unknown cluster prdo; did you mean prod\?/,
  )
  assert.match(findings(app('a', '{clusters: [dev]}')).join(), /declare it as a document of kind Cluster/)
})

test('two renderers, a bad name and a bad path in one App', () => {
  assert.match(
    findings(cluster('dev') + app('a', '{clusters: [dev], helm: {}, yaml: {}}')).join(),
    /names more than one renderer/,
  )
  assert.match(findings(cluster('dev') + app('Bad_Name')).join(), /App metadata\.name: must be lower-case/)
  assert.match(
    findings(cluster('dev') + app('a', '{clusters: [dev], source: {path: /etc}}')).join(),
    /App spec\.source\.path: must be a relative path/,
  )
  const deep = 'a/'.repeat(300)
  assert.match(
    findings(cluster('dev') + app('a', `{clusters: [dev], source: {path: ${deep}a}}`)).join(),
    /App spec\.source\.path: may have 256 parts at most/,
  )
  assert.match(findings(cluster('dev') + app('a', '{clusters: {matchLabel: {}}}')).join(), /matchLabel/)
})

test('the published JSON Schema is the one that is used', async () => {
  assert.equal(
    await readFile(schemaFile, 'utf8'),
    createConfigSchema(),
    'run: node test/functions/render/write-schema.ts',
  )
})
