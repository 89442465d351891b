import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import type {RenderPool} from '#functions/render/box/render-pool.ts'
import {RenderError, toFinding} from '#functions/render/render-error.ts'
import {formatFinding} from '#shared/model/outcome.ts'
import type {FileContent} from './memory-tree.ts'
import {configMap, openPool, renderFiles} from './render-files.ts'

let pool: RenderPool
before(async () => {
  pool = await openPool({threads: 1})
})
after(() => pool.close())

const chart = {
  'api/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n',
  'api/values.yaml': 'a: b\nreplicas: 1\n',
  'api/templates/a.yaml': configMap('a'),
}
const sub = {
  'api/charts/sub/Chart.yaml': 'apiVersion: v2\nname: sub\nversion: 1.0.0\n',
  'api/charts/sub/values.yaml': 'a: {b: 1}\n',
}
const random = {...chart, 'api/templates/s.yaml': configMap('s', '{v: {{ randAlphaNum 8 | quote }}}')}
const schema = (properties: object, rest: object = {}) => JSON.stringify({type: 'object', properties, ...rest})
const bad = (text: string) => ({...chart, 'api/templates/bad.yaml': text})
const kz = (kustomization: string, files: Record<string, string>) => ({
  'kz/kustomization.yaml': kustomization,
  ...files,
})
const based = (base: string, files: Record<string, string> = {}) =>
  kz('resources: [base]\n', {'kz/base/kustomization.yaml': base, ...files})
const broken = 'apiVersion: v1\nkind: X\nmetadata:\n\tname: a\n'
const declaration = (spec: string) =>
  `apiVersion: drawbridge.dev/v1alpha1\nkind: Cluster\nmetadata: {name: dev}\n---\n# web\napiVersion: drawbridge.dev/v1alpha1\nkind: App\nmetadata:\n  name: web\nspec:\n${spec}`

interface Case {
  files: Record<string, FileContent>
  spec: Record<string, unknown>
  told: string
}
const at = (path: string, files: Case['files'], told: string, spec: Case['spec'] = {}): Case => ({
  files,
  spec: {source: {path}, ...spec},
  told,
})

const cases: Record<string, Case> = {
  'a resource of a base that is no YAML': at(
    'kz',
    based('resources:\n- dep.yaml\n', {'kz/base/dep.yaml': broken}),
    'YAML_INVALID app web: kz/base/dep.yaml:4: not valid YAML: found character that cannot start any token',
  ),
  'a later document that is no YAML': at(
    'kz',
    kz('resources: [all.yaml]\n', {'kz/all.yaml': `${configMap('a')}---\n${broken}`}),
    'YAML_INVALID app web: kz/all.yaml:10: not valid YAML: found character that cannot start any token',
  ),
  'a resource of a base beside it that is no YAML': at(
    'kz',
    kz('resources: [../base]\n', {'base/kustomization.yaml': 'resources: [x/dep.yaml]\n', 'base/x/dep.yaml': broken}),
    'YAML_INVALID app web: base/x/dep.yaml:4: not valid YAML: found character that cannot start any token',
  ),
  'a resource without a kind': at(
    'kz',
    based('resources:\n- dep.yaml\n', {'kz/base/dep.yaml': 'a: b\n'}),
    'RENDER_FAILED app web: kz/base/dep.yaml: kustomize: missing Resource metadata',
  ),
  'a patch whose object is not there': at(
    'kz',
    kz('resources: [a.yaml]\npatches:\n- path: q.yaml\n- path: p.yaml\n', {
      'kz/a.yaml': configMap('a'),
      'kz/q.yaml': configMap('a', '{x: y}'),
      'kz/p.yaml': configMap('none'),
    }),
    'RENDER_FAILED app web: kz/p.yaml:4: kustomize: this patch is for ConfigMap none, and no resource of the kustomization is that: correct its kind, name or namespace, or remove it',
  ),
  'a patch that is none': at(
    'kz',
    kz('resources: [a.yaml]\npatches:\n- path: p.yaml\n', {'kz/a.yaml': configMap('a'), 'kz/p.yaml': 'a: b\n'}),
    'RENDER_FAILED app web: kz/p.yaml: kustomize: it is neither a strategic merge patch (apiVersion, kind and metadata.name) nor a list of JSON patch operations',
  ),
  'an unknown field of a kustomization': at(
    'kz',
    based('# x\nresource: [a.yaml]\n'),
    'RENDER_FAILED app web: kz/base/kustomization.yaml:2: kustomize: unknown field "resource"; did you mean resources?',
  ),
  'a kustomization that is no YAML': at(
    'kz',
    kz('resources:\n\t- a.yaml\n', {}),
    'YAML_INVALID app web: kz/kustomization.yaml:2: not valid YAML: found character that cannot start any token',
  ),
  'an absent file': at(
    'kz',
    based('resources:\n- a.yaml\n- missing.yaml\n', {'kz/base/a.yaml': configMap('a')}),
    'PATH_NOT_FOUND app web: kz/base/kustomization.yaml:3: it names missing.yaml, and there is no kz/base/missing.yaml',
  ),
  'a folder without a kustomization': at(
    'kz',
    kz('resources:\n- sub\n', {'kz/sub/a.yaml': configMap('a')}),
    "RENDER_FAILED app web: kz/kustomization.yaml:2: kustomize: unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory 'kz/sub'",
  ),
  'a template that fails': at(
    'api',
    bad('a: b\nx: {{ required "colour needed" .Values.colour }}\n'),
    'RENDER_FAILED app web: api/templates/bad.yaml:2: helm: colour needed',
  ),
  'a template that reads what is not there': at(
    'api',
    bad('a: b\nx: {{ .Values.b.c.d }}\n'),
    'RENDER_FAILED app web: api/templates/bad.yaml:2: helm: nil pointer evaluating interface {}.c at {{ .Values.b.c.d }}',
  ),
  'a template that does not parse': at(
    'api',
    bad('a: b\nx: {{ .Values.a \n'),
    'RENDER_FAILED app web: api/templates/bad.yaml:3: helm: parse error: unclosed action started in line 2',
  ),
  'a template that gives no YAML': at(
    'api',
    bad(broken),
    'RENDER_FAILED app web: api/templates/bad.yaml: helm: what the template gives is not valid YAML, at line 4 of it: found character that cannot start any token',
  ),
  'values that do not meet the schema': at(
    'api',
    {...chart, 'api/values.schema.json': schema({replicas: {type: 'string'}}, {required: ['name']})},
    "RENDER_FAILED app web: api/values.schema.json: helm: the values do not meet the chart's schema: missing property 'name'; /replicas: got number, want string (from api/values.yaml:2)",
  ),
  'inline values that do not meet the schema': at(
    'api',
    {...chart, 'api/values.schema.json': schema({replicas: {type: 'integer'}})},
    "RENDER_FAILED app web: api/values.schema.json: helm: the values do not meet the chart's schema: /replicas: got string, want integer (from spec.helm.values)",
    {helm: {values: {replicas: 'x'}}},
  ),
  'values that do not meet the schema of a chart within': at(
    'api',
    {...chart, ...sub, 'api/charts/sub/values.schema.json': schema({a: {properties: {b: {type: 'string'}}}})},
    "RENDER_FAILED app web: api/charts/sub/values.schema.json: helm: the values do not meet the chart's schema: /a/b: got number, want string (from api/charts/sub/values.yaml:1)",
  ),
  'values of a file that do not meet the schema': at(
    'api',
    {...chart, 'api/v.yaml': '# one\nreplicas: x\n', 'api/values.schema.json': schema({replicas: {type: 'integer'}})},
    "RENDER_FAILED app web: api/values.schema.json: helm: the values do not meet the chart's schema: /replicas: got string, want integer (from api/v.yaml:2)",
    {helm: {valueFiles: ['v.yaml']}},
  ),
  'a value file that is no YAML': at(
    'api',
    {...chart, 'api/v.yaml': 'a:\n\tb: c\n'},
    'YAML_INVALID app web: api/v.yaml:2: not valid YAML: found character that cannot start any token',
    {helm: {valueFiles: ['v.yaml']}},
  ),
  'an absent value file': at(
    'api',
    {
      ...chart,
      'api/values-prod.yaml': 'a: b\n',
      'drawbridge.yaml': declaration('  source: {path: api}\n  helm:\n    valueFiles:\n    - values-prd.yaml\n'),
    },
    'PATH_NOT_FOUND app web: drawbridge.yaml:14: spec.helm.valueFiles: it names values-prd.yaml, and there is no api/values-prd.yaml; did you mean api/values-prod.yaml?',
    {helm: {valueFiles: ['values-prd.yaml']}},
  ),
  'random values, where they are refused': at(
    'api',
    random,
    'NOT_REPRODUCIBLE app web: api/templates/s.yaml: Each render gives another value of ConfigMap s /data/v. All clusters share the value, and each change of the app changes it. Make it once, in a Secret that the chart is told of. It is refused because the App has spec.helm.strict: true',
    {helm: {strict: true}},
  ),
  'a source path that is not there': at(
    'apps/wbe/dev',
    {'apps/web/dev/a.yaml': configMap('a'), 'drawbridge.yaml': declaration('  source:\n    path: apps/wbe/dev\n')},
    'PATH_NOT_FOUND app web: drawbridge.yaml:12: spec.source.path: there is no apps/wbe/dev at this commit; did you mean apps/web/dev?',
  ),
  'a source path that is like nothing': at(
    'nowhere',
    {'web/a.yaml': configMap('a')},
    'PATH_NOT_FOUND app web: spec.source.path: there is no nowhere at this commit; correct spec.source.path of App web',
  ),
  'a pointer of LFS': at(
    'web',
    {'web/a.yaml': 'version https://git-lfs.github.com/spec/v1\noid sha256:x\n'},
    'LFS_POINTER app web: web/a.yaml: it is a pointer of Git LFS, and its content is not in git: keep manifests out of LFS, and where it is none, leave it out by spec.yaml.exclude or a .drawbridgeignore',
  ),
  'an object without a kind': at(
    'web',
    {'web/a.yaml': `${configMap('a')}---\na: b\n`},
    'OBJECT_INVALID app web: web/a.yaml:7: document 2 has no kind',
  ),
}

for (const [what, {files, spec, told}] of Object.entries(cases)) {
  test(`${what} is told with its place, once and in one line`, async () => {
    const result = await renderFiles(pool, files, {spec})
    assert.ok('error' in result && result.error instanceof RenderError)
    assert.equal(formatFinding(toFinding(result.error, {app: 'web', cluster: 'dev'})), told)
  })
}

test('random values are a warning with the template that makes them', async () => {
  const result = await renderFiles(pool, random, {spec: {source: {path: 'api'}}})
  assert.ok('rendered' in result)
  assert.deepEqual(
    result.rendered.warnings.map(({code, file}) => [code, file]),
    [['NOT_REPRODUCIBLE', 'api/templates/s.yaml']],
  )
})

test('words that grow are explained in a time that grows no faster', async () => {
  const timeOf = async (length: number): Promise<number> => {
    const name = `${'at <'.repeat(length)}'${"from '".repeat(length)}`
    const files = {...chart, 'api/templates/bad.yaml': `{{ fail ${JSON.stringify(name)} }}\n`}
    const started = performance.now()
    const result = await renderFiles(pool, files, {spec: {source: {path: 'api'}}})
    assert.ok('error' in result)
    return performance.now() - started
  }
  await timeOf(1_000)
  assert.ok((await timeOf(80_000)) < 20_000)
})
