import assert from 'node:assert/strict'
import {test} from 'node:test'
import {checkManifests} from '#functions/render/check-manifests.ts'
import type {Manifest} from '#shared/model/manifest.ts'

const sealed = 'ENC[AES256_GCM,data:zTpC,iv:4d2m,tag:AA==,type:str]'
const sops = {mac: sealed, version: '3.9.0'}

const secrets: readonly [what: string, fields: Partial<Manifest>, refused: boolean][] = [
  ['no data', {}, false],
  ['plaintext', {stringData: {a: 'hunter2'}}, true],
  ['sops: {} beside plaintext', {sops: {}, stringData: {a: 'hunter2'}}, true],
  ['the key of SOPS beside plaintext', {sops, data: {a: 'aHVudGVyMg=='}}, true],
  ['one value of several in plaintext', {sops, stringData: {a: sealed, b: 'hunter2'}}, true],
  ['one of two maps in plaintext', {sops, data: {a: sealed}, stringData: {b: 'hunter2'}}, true],
  ['encrypted values', {sops, data: {a: sealed}, stringData: {b: sealed, c: ''}}, false],
  ['values that look encrypted, without the key of SOPS', {data: {a: sealed}}, true],
  ['words that only begin as an encrypted value', {sops, stringData: {a: `${sealed} hunter2`}}, true],
]

for (const [what, fields, refused] of secrets) {
  test(`a Secret with ${what} is ${refused ? 'refused' : 'taken'}`, () => {
    const manifest: Manifest = {apiVersion: 'v1', kind: 'Secret', metadata: {name: 's'}, ...fields}
    const check = () => checkManifests([{manifest, place: {}}], {namespace: undefined, allowPlaintextSecrets: false})
    if (refused) assert.throws(check, (error) => error instanceof Error && !error.message.includes('hunter2'))
    else assert.equal(check().length, 1)
  })
}
