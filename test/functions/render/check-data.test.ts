import assert from 'node:assert/strict'
import {test} from 'node:test'
import {checkManifests} from '#functions/render/check-manifests.ts'
import {dropServerFields} from '#functions/render/drop-server-fields.ts'
import {RenderError} from '#functions/render/render-error.ts'
import type {JsonObject, Manifest} from '#shared/model/manifest.ts'

const rules = {namespace: 'web', allowPlaintextSecrets: true}
const place = {file: 'secrets.yaml', line: 3}
const object = (kind: string, more: JsonObject): Manifest => ({apiVersion: 'v1', kind, metadata: {name: 'x'}, ...more})
const check = (manifest: Manifest) => checkManifests([{manifest, place}], rules)

const refused: [string, Manifest, RegExp][] = [
  [
    'a number as text',
    object('Secret', {stringData: {port: 8080}}),
    /Secret web\/x has a number as stringData\["port"\]: quote it/,
  ],
  [
    'a boolean as text',
    object('Secret', {stringData: {on: true}}),
    /Secret web\/x has a boolean as stringData\["on"\]: quote it/,
  ],
  ['an object as text', object('Secret', {stringData: {config: {a: 1}}}), /has an object as stringData\["config"\]/],
  ['a list of data', object('Secret', {data: ['hush']}), /has a list as data, where keys and values belong/],
  ['what is no base64', object('Secret', {data: {word: 'hush!'}}), /data\["word"\] that is not base64: .*stringData/],
  ['base64 that is cut off', object('Secret', {data: {word: 'aHVzaA'}}), /not base64/],
]
for (const [what, manifest, words] of refused) {
  test(`${what} is refused before anything is signed, with key and place, and without the value`, () => {
    assert.throws(
      () => check(manifest),
      (error) => {
        assert.ok(error instanceof RenderError)
        assert.equal(error.code, 'OBJECT_INVALID')
        assert.match(error.message, words)
        assert.deepEqual(error.place, place)
        assert.doesNotMatch(error.message, /8080|hush/)
        return true
      },
    )
  })
}

const taken: [string, Manifest][] = [
  ['base64 in lines', object('Secret', {data: {word: 'aHVz\naA==\n', empty: '', absent: null}})],
  ['what SOPS encrypted', object('Secret', {data: {word: 'ENC[AES256_GCM,data:x]'}, sops: {mac: 'x'}})],
  ['a Secret of another group', {...object('Secret', {data: {port: 1}}), apiVersion: 'example.com/v1'}],
  ['no data', object('Secret', {data: null})],
  // As kubectl reads it: what the API server says of it can be told.
  ['a number in a ConfigMap', object('ConfigMap', {data: {port: 8080}})],
]
for (const [what, manifest] of taken) test(`${what} is taken`, () => assert.equal(check(manifest).length, 1))

test('what only the API server decides is left out and told, and the rest stays', () => {
  const metadata = {
    name: 'x',
    labels: {a: 'b'},
    resourceVersion: '12',
    uid: 'u',
    generation: 3,
    creationTimestamp: '2026-01-01T00:00:00Z',
    managedFields: [],
  }
  const exported: Manifest = {apiVersion: 'v1', kind: 'ConfigMap', metadata}
  const own = object('ConfigMap', {metadata: {name: 'y', creationTimestamp: null}})
  const {kept, warning} = dropServerFields([
    {manifest: exported, place},
    {manifest: own, place},
  ])
  assert.deepEqual(
    kept.map(({manifest}) => manifest.metadata),
    [{name: 'x', labels: {a: 'b'}}, own.metadata],
  )
  assert.match(
    warning ?? '',
    /ConfigMap x \(secrets.yaml:3\): metadata\.creationTimestamp, metadata\.generation, metadata\.managedFields, metadata\.resourceVersion, metadata\.uid\. Remove it from git/,
  )
  assert.equal(dropServerFields([{manifest: own, place}]).warning, undefined)
})
