import assert from 'node:assert/strict'
import {test} from 'node:test'
import {describeFinding} from '#shared/model/outcome.ts'
import {startRenderBridge} from './bridge-fixture.ts'
import {app, cluster} from './fleet-files.ts'

const object = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n'
const broken = (name: string, spec: string) =>
  `---\napiVersion: drawbridge.dev/v1alpha1\nkind: App\nmetadata: {name: ${name}}\nspec: ${spec}\n`

const faults: readonly [what: string, spec: string, words: RegExp][] = [
  [
    'a field of another type',
    '{source: {path: app}, clusters: dev}',
    /^app web: drawbridge\.yaml:\d+: App spec\.clusters: Invalid input: expected array or object, received string$/,
  ],
  [
    'an unknown value',
    '{source: {path: app}, clusters: [dev], sync: {drift: warn}}',
    /^app web: drawbridge\.yaml:\d+: App spec\.sync\.drift: .*"heal"\|"detect"\|"off"/,
  ],
  [
    'an unknown field',
    '{source: {path: app}, clusters: [dev], sinc: {}}',
    /^app web: drawbridge\.yaml:\d+: unknown field spec\.sinc in App; did you mean sync\?/,
  ],
  [
    'an unknown cluster',
    '{source: {path: app}, clusters: [prod]}',
    /^app web: drawbridge\.yaml:\d+: .*unknown cluster prod/,
  ],
  [
    'an expression that does not compile',
    '{source: {path: app}, clusters: [dev], dependsOn: [{name: api, readyExpr: "1 +"}]}',
    /^app web: drawbridge\.yaml: App web, dependsOn: /,
  ],
]

for (const [what, spec, words] of faults) {
  test(`an App with ${what} is one finding: the others go on, and it is not taken for removed`, async (context) => {
    const {bridge, repository} = await startRenderBridge(context)
    await repository.push({
      'drawbridge.yaml': cluster('dev') + app('api') + app('old') + app('web'),
      'app/a.yaml': object,
    })
    await bridge.publish((await bridge.push(repository.url)).requests)
    await repository.push({
      'drawbridge.yaml': `${cluster('dev')}${app('api')}${app('new')}${broken('web', spec)}`,
      'app/a.yaml': `${object}data: {a: b}\n`,
    })
    const {requests, findings} = await bridge.push(repository.url)
    assert.equal(findings.length, 1)
    assert.match(findings.map(describeFinding).join('\n'), words)
    const entries = requests.flatMap(({apps}) =>
      apps.map((entry) => (entry.outcome === 'ready' ? entry.app.name : `${entry.name} ${entry.outcome}`)),
    )
    assert.deepEqual(
      entries.filter((entry) => !entry.startsWith('web')),
      ['api', 'new'],
    )
    await bridge.publish(requests)
    assert.deepEqual(
      bridge.desiredApps('dev').map(({name}) => name),
      ['api', 'new', 'web'],
    )
  })
}

test('a range that reaches past an App that cannot be read says that it is declared, whatever the hint knows', async (context) => {
  const {bridge, repository} = await startRenderBridge(context)
  const files = {'app/a.yaml': object}
  await repository.push({
    ...files,
    'drawbridge.yaml': `${cluster('dev')}${app('a')}${broken('m', '{}')}---\n${app('z')}`,
  })
  const {requests, findings} = await bridge.push(repository.url)
  assert.deepEqual(
    findings.map((finding) => finding.app),
    ['m'],
  )
  const names = requests.flatMap(({apps}) => apps.map((entry) => (entry.outcome === 'failed' ? `${entry.name}!` : '.')))
  assert.deepEqual(names, ['.', 'm!', '.'])
})

for (const [what, text] of [
  [
    'has no readable name',
    '---\napiVersion: drawbridge.dev/v1alpha1\nkind: App\nmetadata: {name: Web}\nspec: {clusters: [dev]}\n',
  ],
  ['is of an unknown kind', '---\napiVersion: drawbridge.dev/v1alpha1\nkind: Ap\nmetadata: {name: web}\n'],
  ['is no YAML', '---\nkind: App\nmetadata: {name: web\n'],
  ['is a Cluster that cannot be read', '---\napiVersion: drawbridge.dev/v1alpha1\nkind: Cluster\nmetadata: {}\n'],
] as const) {
  test(`nothing is published of a file with a document that ${what}: an App may be hidden in it`, async (context) => {
    const {bridge, repository} = await startRenderBridge(context)
    await repository.push({'drawbridge.yaml': `${cluster('dev')}${app('api')}${text}`, 'app/a.yaml': object})
    const {requests, findings} = await bridge.push(repository.url)
    assert.deepEqual(requests, [])
    assert.ok(findings.length > 0)
  })
}
