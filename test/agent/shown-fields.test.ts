import assert from 'node:assert/strict'
import {test} from 'node:test'
import {shownFields} from '#agent/shown-fields.ts'
import type {Json, JsonObject} from '#shared/model/manifest.ts'

const ref = {group: 'apps', kind: 'Deployment', namespace: 'web', name: 'web'}
const container = (more: JsonObject): JsonObject => ({
  spec: {template: {spec: {containers: [{name: 'app', image: 'app:1', ...more}]}}},
})
const env = (name: string, value: string): JsonObject => container({env: [{name, value}]})

const cases: [string, JsonObject, JsonObject][] = [
  ['an environment variable that is called a password', env('DB_PASSWORD', 'hunter2'), env('DB_PASSWORD', 'other')],
  ['one that somebody added', env('API_KEY', 'hunter2'), container({env: []})],
  ['the whole environment', env('DB_PASS', 'hunter2'), container({})],
  ['a URL with a password', env('DATABASE', 'postgres://web:hunter2@db'), env('DATABASE', 'postgres://db')],
  ['a field that is called a password', {spec: {auth: {password: 'hunter2'}}}, {spec: {auth: {password: 'x'}}}],
  ['a number in such a field', {spec: {password: 12345678}}, {spec: {}}],
  ['what is within such a field', {spec: {password: {value: 'hunter2'}}}, {spec: {password: {value: 'x'}}}],
  ['a list of them', {spec: {tokens: ['hunter2']}}, {spec: {}}],
  ['an argument that follows a flag', container({args: ['--pw', 'hunter2']}), container({args: ['--pw', 'x']})],
  ['all arguments', container({args: ['--password', 'hunter2']}), container({})],
  ['an argument with its value', container({args: ['--password=hunter2']}), container({args: ['--password=x']})],
  ['a file in a ConfigMap', {data: {'app.ini': 'user=web\npassword=hunter2'}}, {data: {'app.ini': 'user=web'}}],
  [
    'the copy that kubectl keeps',
    {metadata: {annotations: {'kubectl.kubernetes.io/last-applied-configuration': 'hunter2 12345678'}}},
    {metadata: {}},
  ],
  [
    'that copy alone',
    {metadata: {annotations: {a: '1', 'kubectl.kubernetes.io/last-applied-configuration': 'hunter2 12345678'}}},
    {metadata: {annotations: {a: '1'}}},
  ],
]
for (const [what, live, wanted] of cases) {
  test(`reports no value of ${what}, either way`, () => {
    for (const [a, b] of [
      [live, wanted],
      [wanted, live],
    ] as const) {
      const fields = shownFields(ref, a, b)
      assert.doesNotMatch(JSON.stringify(fields), /hunter2|12345678/)
      assert.ok(fields.some(({masked}) => masked))
    }
  })
}

const open: [string, JsonObject, JsonObject, Json, Json][] = [
  ['replicas', {spec: {replicas: 1}}, {spec: {replicas: 2}}, 1, 2],
  ['an image', container({}), container({image: 'app:2'}), 'app:1', 'app:2'],
  ['an ordinary environment variable', env('LEVEL', 'debug'), env('LEVEL', 'info'), 'debug', 'info'],
  ['a flag', container({args: ['--replicas=1']}), container({args: ['--replicas=2']}), '--replicas=1', '--replicas=2'],
  [
    'whether a token is mounted',
    {spec: {automountServiceAccountToken: true}},
    {spec: {automountServiceAccountToken: false}},
    true,
    false,
  ],
]
for (const [what, live, wanted, from, to] of open) {
  test(`reports the values of ${what}`, () => {
    const [field] = shownFields(ref, live, wanted)
    assert.deepEqual([field?.from, field?.to, field?.masked], [from, to, undefined])
  })
}
