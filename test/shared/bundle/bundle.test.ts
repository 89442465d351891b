import assert from 'node:assert/strict'
import {test} from 'node:test'
import {gunzipSync, gzipSync} from 'node:zlib'
import fc from 'fast-check'
import {BundleError} from '#shared/bundle/bundle-error.ts'
import {canonicalJson} from '#shared/bundle/canonical-json.ts'
import {packBundle} from '#shared/bundle/pack-bundle.ts'
import {readBundle, unpackBundle, unpackedSize} from '#shared/bundle/unpack-bundle.ts'
import {digestOf} from '#shared/model/digest.ts'
import {limits} from '#shared/model/limits.ts'
import type {Manifest} from '#shared/model/manifest.ts'

const header = {app: 'web', cluster: 'dev', inputs: digestOf('inputs'), renderer: {name: 'yaml', version: '1'}} as const

function configMap(name: string, data: Record<string, string> = {}): Manifest {
  return {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name, namespace: 'web'}, data}
}

function rejectsWith(code: string): (error: unknown) => boolean {
  return (error) => error instanceof BundleError && error.code === code
}

const name = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?$/)
const manifests = fc.uniqueArray(fc.tuple(name, fc.dictionary(fc.string(), fc.string({unit: 'binary'}))), {
  selector: ([n]) => n,
  maxLength: 30,
})

test('gives back every object it was given, whatever order they came in', () => {
  fc.assert(
    fc.property(manifests, (pairs) => {
      const objects = pairs.map(([n, data]) => configMap(n, data))
      const forth = packBundle(header, objects)
      const back = packBundle(header, objects.toReversed())
      assert.deepEqual(forth.bytes, back.bytes)
      const unpacked = unpackBundle(forth.bytes, forth.address)
      assert.equal(unpacked.header.objects, objects.length)
      const sort = (list: Manifest[]): string[] => list.map((object) => canonicalJson(object)).sort()
      assert.deepEqual(sort(unpacked.manifests), sort(objects))
    }),
  )
})

test('does not depend on the order of keys in an object', () => {
  const one = packBundle(header, [{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'a', namespace: 'b'}}])
  const two = packBundle(header, [{metadata: {namespace: 'b', name: 'a'}, kind: 'ConfigMap', apiVersion: 'v1'}])
  assert.equal(one.address.digest, two.address.digest)
})

test('keeps the digits of numbers beyond 2^53', () => {
  const spec = {max: 2n ** 63n - 1n, odd: [2n ** 53n + 1n]}
  const {bytes, address} = packBundle(header, [{...configMap('a'), spec}])
  assert.match(gunzipSync(bytes).toString(), /"spec":\{"max":9223372036854775807,"odd":\[9007199254740993\]\}/)
  assert.deepEqual(unpackBundle(bytes, address).manifests[0]?.spec, spec)
})

test('tells the content of bundles that differ in their headers alone as the same', () => {
  const contentOf = (inputs: string, value: string): string => {
    const {bytes, address} = packBundle({...header, inputs: digestOf(inputs)}, [configMap('a', {k: value})])
    return unpackBundle(bytes, address).content
  }
  assert.equal(contentOf('one', 'v'), contentOf('other', 'v'))
  assert.notEqual(contentOf('one', 'v'), contentOf('one', 'w'))
})

test('has the bytes that it had when the format was fixed', () => {
  const {bytes, address} = packBundle(header, [configMap('a', {k: 'v'})])
  assert.equal(
    gunzipSync(bytes).toString(),
    `{"apiVersion":"drawbridge.dev/v1alpha1","app":"web","cluster":"dev","inputs":"${digestOf('inputs')}","kind":"Bundle","objects":1,"renderer":{"name":"yaml","version":"1"}}\n` +
      '{"apiVersion":"v1","data":{"k":"v"},"kind":"ConfigMap","metadata":{"name":"a","namespace":"web"}}\n',
  )
  assert.equal(address.digest, 'sha256:0b27a406a2d3ee60144d2f52cf4324405fa7bc209a6c0ed4d82a8e25c1526883')
})

test('refuses an object that is declared twice', () => {
  assert.throws(
    () => packBundle(header, [configMap('a'), configMap('a', {other: 'value'})]),
    rejectsWith('DUPLICATE_OBJECT'),
  )
})

test('notices any single changed byte before it decompresses anything', () => {
  const {bytes, address} = packBundle(header, [configMap('a'), configMap('b')])
  fc.assert(
    fc.property(fc.nat(bytes.byteLength - 1), fc.integer({min: 1, max: 255}), (at, flip) => {
      const changed = Uint8Array.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ flip
      assert.throws(() => unpackBundle(changed, address), rejectsWith('DIGEST_MISMATCH'))
    }),
  )
})

test('refuses a truncated bundle by its size', () => {
  const {bytes, address} = packBundle(header, [configMap('a')])
  assert.throws(() => unpackBundle(bytes.subarray(0, -1), address), rejectsWith('SIZE_MISMATCH'))
})

const text = (lines: string[]): string => lines.map((line) => `${line}\n`).join('')
const goodHeader = canonicalJson({apiVersion: 'drawbridge.dev/v1alpha1', kind: 'Bundle', ...header, objects: 1})
const goodObject = canonicalJson(configMap('a'))

for (const [what, content, code] of [
  ['a header that is no header', text(['{}', goodObject]), 'MALFORMED'],
  ['an object that is not JSON', text([goodHeader, '{']), 'MALFORMED'],
  ['an object without a name', text([goodHeader, '{"apiVersion":"v1","kind":"X","metadata":{}}']), 'MALFORMED'],
  [
    'a name that would be more than one part of a path',
    text([goodHeader, '{"apiVersion":"v1","kind":"X","metadata":{"name":"../secrets/a"}}']),
    'MALFORMED',
  ],
  [
    'a namespace that makes it look like another object',
    text([goodHeader, '{"apiVersion":"v1","kind":"X","metadata":{"name":"b","namespace":"web/a"}}']),
    'MALFORMED',
  ],
  [
    'an apiVersion of three parts',
    text([goodHeader, '{"apiVersion":"a/b/c","kind":"X","metadata":{"name":"b"}}']),
    'MALFORMED',
  ],
  ['fewer objects than promised', text([goodHeader]), 'MALFORMED'],
  ['a last line that is cut', `${goodHeader}\n${goodObject}`, 'MALFORMED'],
  [
    'an object that is there twice',
    text([goodHeader.replace('"objects":1', '"objects":2'), goodObject, goodObject]),
    'DUPLICATE_OBJECT',
  ],
] as const) {
  test(`refuses ${what}, even where the digest is right`, () => {
    const bytes = gzipSync(content)
    const objects = what.includes('twice') ? 2 : 1
    assert.throws(
      () => unpackBundle(bytes, {digest: digestOf(bytes), size: bytes.byteLength, objects}),
      rejectsWith(code),
    )
  })
}

test('stops at the limit when a small bundle unpacks to a huge one', () => {
  const bytes = gzipSync(Buffer.alloc(100 * 1024 * 1024))
  assert.throws(
    () => unpackBundle(bytes, {digest: digestOf(bytes), size: bytes.byteLength, objects: 0}),
    rejectsWith('TOO_LARGE'),
  )
})

test('reads the same, object by object, as it unpacks', async () => {
  const {bytes, address} = packBundle(header, [configMap('b'), configMap('a')])
  const seen: Manifest[] = []
  const facts = await readBundle(bytes, (manifest) => void seen.push(manifest), address.objects)
  assert.deepEqual({...facts, manifests: seen}, unpackBundle(bytes, address))
  assert.equal(unpackedSize(bytes), gunzipSync(bytes).length)
})

const fat = (bytes: number) => ({...configMap('fat'), data: {fat: 'x'.repeat(bytes)}})
for (const [what, content] of [
  ['unpacks to more than a pod can hold', Buffer.alloc(limits.maxUnpackedBundleBytes + 1)],
  ['has an object that no cluster stores', text([goodHeader, canonicalJson(fat(limits.maxObjectBytes))])],
] as const) {
  test(`refuses a bundle that ${what} before it holds it`, async () => {
    await assert.rejects(
      readBundle(gzipSync(content), () => assert.fail('nothing of it is used')),
      rejectsWith('TOO_LARGE'),
    )
  })
}

test('does not pack what no agent would unpack', () => {
  const many = Array.from({length: 40}, (_, index) => ({...fat(1_000_000), metadata: {name: `fat-${index}`}}))
  assert.throws(() => packBundle(header, many), rejectsWith('TOO_LARGE'))
})

test('ends with what its reader throws, and says where bytes are no gzip', async () => {
  const {bytes} = packBundle(header, [configMap('a')])
  const stop = new Error('stop')
  await assert.rejects(
    readBundle(bytes, () => {
      throw stop
    }),
    stop,
  )
  await assert.rejects(
    readBundle(Buffer.from('no gzip'), () => undefined),
    rejectsWith('MALFORMED'),
  )
  await assert.rejects(
    readBundle(bytes.subarray(0, -9), () => undefined),
    rejectsWith('MALFORMED'),
  )
})
