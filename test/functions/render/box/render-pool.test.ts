import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'
import type {RenderPool} from '#functions/render/box/render-pool.ts'
import {openTreeView} from '#functions/render/box/tree-view.ts'
import {memoryTree} from './memory-tree.ts'
import {configMap, devCluster, objectsOf, openPool, problemOf, renderFiles, webApp} from './render-files.ts'

const chart = {'Chart.yaml': 'apiVersion: v2\nname: c\nversion: 1.0.0\n'}
const template = (text: string) => ({...chart, 'templates/a.yaml': text})

let pool: RenderPool
before(async () => {
  pool = await openPool({threads: 1})
})
after(() => pool.close())

test('the clock of a render stands at the time of the commit', async () => {
  const files = template(configMap('a', '{at: {{ now | date "2006-01-02T15:04:05" | quote }}}'))
  const result = await renderFiles(pool, files, {committedAt: new Date('2026-03-04T05:06:07Z')})
  assert.equal(Object(objectsOf(result)[0]?.data).at, '2026-03-04T05:06:07')
  assert.ok('rendered' in result)
  assert.equal(result.rendered.reads?.clock, '2026-03-04T05:06:07.000Z')
})

test('the inputs of an app do not depend on what else was rendered before, in the same program', async (t) => {
  const used = await openPool({threads: 1})
  t.after(() => used.close())
  const files = {'kustomization.yaml': 'resources: [a.yaml]\n', 'a.yaml': configMap('a')}
  const inputs = new Set<string>()
  // Enough of them that Go collects its garbage.
  for (let render = 0; render < 60; render++) {
    const result = await renderFiles(used, files, {scope: 'one'})
    assert.ok('rendered' in result)
    inputs.add(result.rendered.inputs)
  }
  assert.equal(inputs.size, 1)
})

test('a render that does not ask for the time does not depend on it', async () => {
  const result = await renderFiles(pool, template(configMap('a')), {committedAt: new Date('2026-03-04T05:06:07Z')})
  assert.ok('rendered' in result)
  assert.equal(result.rendered.reads?.clock, undefined)
})

test('zones of time are known, and no variable of the environment is', async () => {
  const zone = '{{ dateInZone "15:04" (toDate "2006-01-02" "2026-07-01") "Europe/Berlin" | quote }}'
  const result = await renderFiles(pool, template(configMap('a', `{zone: ${zone}, home: {{ .Values.home | quote }}}`)))
  assert.equal(Object(objectsOf(result)[0]?.data).zone, '02:00')
  const variables = {
    'kustomization.yaml': 'configMapGenerator:\n- name: k\n  envs: [e.env]\n',
    'e.env': 'PATH\nHOME\nUSER\n',
  }
  assert.deepEqual(objectsOf(await renderFiles(pool, variables))[0]?.data, {HOME: '', PATH: '', USER: ''})
})

for (const [what, value] of [
  ['letters', '{{ randAlphaNum 12 | quote }}'],
  ['numbers', '{{ randInt 0 1000000000 | quote }}'],
  ['an order', '{{ shuffle "abcdefghijklmnopqrstuvwxyz" | quote }}'],
  ['an identity', '{{ uuidv4 | quote }}'],
  ['a key', '{{ genPrivateKey "ecdsa" | b64enc | quote }}'],
  ['a salt', '{{ htpasswd "a" "b" | quote }}'],
] as const) {
  test(`random ${what} are told with object and field, and refused where that is asked for`, async () => {
    const files = template(configMap('a', `{same: "1", value: ${value}}`))
    const result = await renderFiles(pool, files)
    assert.ok('rendered' in result)
    assert.deepEqual(
      result.rendered.warnings.map(({code}) => code),
      ['NOT_REPRODUCIBLE'],
    )
    assert.match(result.rendered.warnings[0]?.message ?? '', /ConfigMap a \/data\/value\./)
    assert.match(problemOf(await renderFiles(pool, files, {spec: {helm: {strict: true}}})), /^NOT_REPRODUCIBLE /)
  })
}

test('random bytes that nothing is made of are not told', async () => {
  const result = await renderFiles(pool, template(`{{ $unused := randAlphaNum 5 }}${configMap('a')}`))
  assert.ok('rendered' in result)
  assert.deepEqual(result.rendered.warnings, [])
})

test("an OpenAPI schema of one app's own does not reach the next app of its declaration", async () => {
  const mergeKey = {'x-kubernetes-patch-strategy': 'merge', 'x-kubernetes-patch-merge-key': 'name'}
  const schema = {
    definitions: {
      'v1.Own': {
        type: 'object',
        properties: {
          spec: {type: 'object', properties: {items: {type: 'array', items: {type: 'object'}, ...mergeKey}}},
        },
        'x-kubernetes-group-version-kind': [{group: 'example.com', version: 'v1', kind: 'Own'}],
      },
    },
  }
  const own = (items: string) =>
    `apiVersion: example.com/v1\nkind: Own\nmetadata: {name: o}\nspec:\n  items: ${items}\n`
  const files = {'o.yaml': own('[{name: a, v: 1}]'), 'p.yaml': own('[{name: b, v: 2}]')}
  const plain = 'resources: [o.yaml]\npatches: [{path: p.yaml}]\n'
  const names = (result: Awaited<ReturnType<typeof renderFiles>>) =>
    JSON.stringify(Object(objectsOf(result)[0]?.spec).items)
  const without = names(await renderFiles(pool, {...files, 'kustomization.yaml': plain}))
  assert.equal(without, '[{"name":"b","v":2}]')
  const scope = 'one declaration'
  const withSchema = {
    ...Object.fromEntries(Object.entries(files).map(([name, text]) => [`own/${name}`, text])),
    ...Object.fromEntries(Object.entries(files).map(([name, text]) => [`plain/${name}`, text])),
    'own/kustomization.yaml': `${plain}openapi: {path: schema.json}\n`,
    'own/schema.json': JSON.stringify(schema),
    'plain/kustomization.yaml': plain,
  }
  const first = names(await renderFiles(pool, withSchema, {scope, spec: {source: {path: 'own'}}}))
  assert.equal(first, '[{"name":"b","v":2},{"name":"a","v":1}]')
  assert.equal(names(await renderFiles(pool, withSchema, {scope, spec: {source: {path: 'plain'}}})), without)
})

test('a used program, a new one and another thread give the same bytes', async (t) => {
  const other = await openPool({threads: 1})
  t.after(() => other.close())
  const kustomization = {
    'kustomization.yaml':
      'resources: [a.yaml]\nnamePrefix: p-\nconfigMapGenerator: [{name: g, literals: [b=2, a=1]}]\n',
    'a.yaml': configMap('a', '{z: "1", a: "2"}'),
  }
  for (const files of [kustomization, template(configMap('a', '{x: {{ .Release.Name }}}'))]) {
    const scope = 'the same'
    const renders = [
      await renderFiles(pool, files, {scope}),
      await renderFiles(pool, files, {scope}),
      await renderFiles(pool, files),
      await renderFiles(other, files),
    ]
    const digests = renders.map((result) => ('rendered' in result ? result.rendered.address.digest : problemOf(result)))
    assert.equal(new Set(digests).size, 1, digests.join('\n'))
    await renderFiles(pool, {'a.yaml': configMap('between')}, {scope: 'another'})
  }
})

for (const [what, text, problem, timeoutSeconds] of [
  [
    'loops for ever',
    '{{ range until 100000 }}{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}{{ end }}',
    /^RENDER_TIMEOUT it did not end within 15 seconds/,
    15,
  ],
  [
    'allocates for ever',
    '{{ $x := "0123456789abcdef" }}{{ range until 60 }}{{ $x = printf "%s%s" $x $x }}{{ end }}',
    /^RENDER_OUT_OF_MEMORY it needed more than \d+ bytes/,
  ],
  ['renders for ever', '{{ range until 1000000000 }}0123456789abcdef{{ end }}', /^RENDER_OUT_OF_MEMORY /],
  ['calls itself for ever', '{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}', /^RENDER_FAILED /],
  [
    'expands itself for ever',
    '{{ define "a" }}{{ tpl "{{ include \\"a\\" . }}" . }}{{ end }}{{ include "a" . }}',
    /^RENDER_/,
  ],
] as [string, string, RegExp, number?][]) {
  test(`a template that ${what} is one clear error of its app; meanwhile the process answers, and the next app renders`, async (t) => {
    const own = timeoutSeconds === undefined ? pool : await openPool({threads: 1, timeoutSeconds})
    t.after(() => (own === pool ? undefined : own.close()))
    // What keeps this thread from answering takes its time of the CPU, however busy the machine is.
    const turns: number[] = []
    let before = process.threadCpuUsage()
    const answering = setInterval(() => {
      const {user, system} = process.threadCpuUsage(before)
      before = process.threadCpuUsage()
      turns.push((user + system) / 1_000)
    }, 5)
    const result = await renderFiles(own, template(text))
    clearInterval(answering)
    assert.match(problemOf(result), problem)
    const longest = Math.max(0, ...turns)
    // 50 on a machine of its own: cores that are shared make each turn take longer.
    assert.ok(longest < 150, `the longest turn took ${longest} ms`)
    assert.equal(objectsOf(await renderFiles(own, template(configMap('next')))).length, 1)
  })
}

test('objects that together are larger than a render may give are refused', async () => {
  const large = `"${'x'.repeat(9_500_000)}"`
  const files = Object.fromEntries(
    Array.from({length: 8}, (_, index) => [`${index}.yaml`, configMap(`a-${index}`, `{x: ${large}}`)]),
  )
  assert.match(problemOf(await renderFiles(pool, files)), /^RENDER_OUTPUT_TOO_LARGE it rendered more than \d+ bytes/)
})

test("a warning of helm's does not tell a secret", async () => {
  const files = {...template(configMap('a')), 'values.yaml': 'auth: {password: hunter2-default}\n'}
  const result = await renderFiles(pool, files, {spec: {helm: {values: {auth: {password: {from: 'x'}}}}}})
  assert.ok('rendered' in result)
  const told = JSON.stringify(result.rendered.warnings)
  assert.match(told, /RENDERER_WARNING.*\[hidden\]/)
  assert.ok(!told.includes('hunter2'), told)
})

test('the keys and values of a dictionary come in the same order each time', async () => {
  const list = '{{ keys .Values.m | join "," }} {{ values .Values.m | join "," }}'
  const files = {
    ...template(configMap('a', `{all: "${list}"}`)),
    'values.yaml': 'm: {b: 2, a: 1, d: 4, c: 3, f: 6, e: 5}\n',
  }
  assert.equal(Object(objectsOf(await renderFiles(pool, files))[0]?.data).all, 'a,b,c,d,e,f 1,2,3,4,5,6')
})

test('a link out of the repository is refused, unless it is left out', async () => {
  const files = {'a.yaml': configMap('a'), venv: {link: '/usr/bin/python3'}, 'b.yaml': {link: '/etc/passwd'}}
  assert.match(problemOf(await renderFiles(pool, files)), /^PATH_LEAVES_REPOSITORY it is a symbolic link/)
  const excluded = await renderFiles(pool, files, {spec: {yaml: {exclude: ['b.yaml', 'venv']}}})
  assert.equal(objectsOf(excluded).length, 1)
  assert.equal(objectsOf(await renderFiles(pool, {...files, '.drawbridgeignore': 'b.yaml\nvenv\n'})).length, 1)
})

test('a folder of very many symbolic links, and a path of very many parts, are no harm', async () => {
  const links = Object.fromEntries(Array.from({length: 4_000}, (_, index) => [`l${index}.yaml`, {link: 'a.yaml'}]))
  const many = await renderFiles(pool, {'a.yaml': configMap('a'), ...links})
  assert.match(problemOf(many), /^DUPLICATE_OBJECT /)
  const deep = await renderFiles(pool, {'kustomization.yaml': `resources: [${'a/'.repeat(2_000)}]\n`})
  assert.match(problemOf(deep), /^PATH_NOT_FOUND .*longer than any that is read/)
})

test('an app that loops for ever for one cluster is rendered for the others', async (t) => {
  const own = await openPool({threads: 1, timeoutSeconds: 15})
  t.after(() => own.close())
  const loop = '{{ range until 100000 }}{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}{{ end }}'
  const files = {
    ...template(`{{ if eq .Values.where "b" }}${loop}{{ end }}${configMap('a')}`),
    'where-a.yaml': 'where: a\n',
    'where-b.yaml': 'where: b\n',
    'where-c.yaml': 'where: c\n',
  }
  const clusters = ['a', 'b', 'c'].map((name) => ({...devCluster, metadata: {name}}))
  const app = webApp({clusters: ['a', 'b', 'c'], helm: {valueFiles: ['where-${cluster.name}.yaml']}})
  const results = await own.render({scope: 'three', view: openTreeView(memoryTree(files)), app, clusters})
  assert.deepEqual(
    results.map((result) => [result.cluster, 'error' in result ? result.error.code : 'rendered']),
    [
      ['a', 'rendered'],
      ['b', 'RENDER_TIMEOUT'],
      ['c', 'rendered'],
    ],
  )
})
