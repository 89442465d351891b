import assert from 'node:assert/strict'
import {test} from 'node:test'
import {gzipSync} from 'node:zlib'
import fc from 'fast-check'
import {MessageError} from '#shared/messages/message-error.ts'
import {packBody, unpackBody} from '#shared/messages/pack-body.ts'
import {limits} from '#shared/model/limits.ts'

const packed = (text: string): string =>
  JSON.stringify({apiVersion: 'drawbridge.dev/v1alpha1', kind: 'Packed', gzip: gzipSync(text).toString('base64')})

test('gives back what it was given, small or large', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const plain = JSON.parse(JSON.stringify(value))
      assert.deepEqual(unpackBody(packBody(plain)), plain)
    }),
  )
  const large = {
    apps: Array.from({length: 4000}, (_, i) => ({name: `app-${i}`, revision: 'main@sha1:'.padEnd(250, 'a')})),
  }
  assert.deepEqual(unpackBody(packBody(large)), large)
})

test('makes a request of two thousand apps fit a message', () => {
  const apps = Array.from({length: 2000}, (_, i) => ({
    name: `app-${i}`,
    digest: `${i}`.padStart(64, 'f'),
    text: 'x'.repeat(900),
  }))
  assert.ok(Buffer.byteLength(JSON.stringify(apps)) > limits.maxMessageBytes)
  assert.ok(Buffer.byteLength(packBody(apps)) < limits.maxMessageBytes / 2)
})

for (const [what, body] of [
  ['bytes that are not JSON', '{'],
  ['a pack that is not gzip', packed('x').replace(/"gzip":"..../, '"gzip":"AAAA')],
  ['a pack of something that is not JSON', packed('{')],
  ['a bomb', packed(' '.repeat(limits.maxUnpackedMessageBytes + 1))],
] as const) {
  test(`refuses ${what}`, () => {
    assert.throws(
      () => unpackBody(body),
      (error) => error instanceof MessageError && error.code === 'MALFORMED',
    )
  })
}
