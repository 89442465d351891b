import assert from 'node:assert/strict'
import {test} from 'node:test'
import canonicalize from 'canonicalize'
import fc from 'fast-check'
import {BundleError} from '#shared/bundle/bundle-error.ts'
import {canonicalJson} from '#shared/bundle/canonical-json.ts'
import {parseExactJson, readWhole, stringifyExact} from '#shared/bundle/exact-json.ts'
import type {Json} from '#shared/model/manifest.ts'

/** As the reader gives it: a number where that is exact. */
const whole = fc.bigInt({min: -(2n ** 63n), max: 2n ** 64n - 1n}).map((value) => readWhole(value.toString()))
const near = fc.integer({min: -3, max: 3}).map((offset) => readWhole((2n ** 53n + BigInt(offset)).toString()))
const digits = fc.stringMatching(/^[0-9:,[\]{} -]{0,40}$/)
/** What comes back as it was: -0 does not, and a float of 2^53 or more comes back as the bigint of its digits. */
const float = fc.double({min: -(2 ** 53), minExcluded: true, max: 2 ** 53, maxExcluded: true, noNaN: true})

const {json} = fc.letrec<{json: Json}>((tie) => ({
  json: fc.oneof(
    {maxDepth: 6},
    whole,
    near,
    float.map((value) => value + 0),
    digits,
    fc.string({unit: 'grapheme'}),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('json')),
    fc.dictionary(fc.string(), tie('json'), {noNullPrototype: true}),
  ),
}))
/** Where no number is beyond 2^53, the RFC says it all. */
const plain = fc.jsonValue({noUnicodeString: false})

const cases: [string, string, Json][] = [
  ['the largest number that is exact', '9007199254740991', 9007199254740991],
  ['the first that is not', '9007199254740992', 2n ** 53n],
  ['its neighbour', '9007199254740993', 9007199254740993n],
  ['the same below zero', '-9007199254740993', -9007199254740993n],
  ["int64's bounds", '[-9223372036854775808,9223372036854775807]', [-9223372036854775808n, 9223372036854775807n]],
  ["uint64's bound", '{"a":18446744073709551615}', {a: 18446744073709551615n}],
  ['beyond uint64: a float', '18446744073709551616', 2 ** 64],
  ['below int64: a float', '-9223372036854775809', -(2 ** 63)],
  ['far more digits than anything has', `[${'9'.repeat(300)}]`, [1e300]],
  ['decimals', '[0.1234567890123456,1234567890123456.5,1e21]', [0.1234567890123456, 1234567890123456.5, 1e21]],
  ['digits in a text', '["9007199254740993",":9007199254740993,"]', ['9007199254740993', ':9007199254740993,']],
  ['white space around', ' [\n9007199254740993\t,\r-9007199254740993 ] ', [9007199254740993n, -9007199254740993n]],
  [
    'after a run that counts for nothing',
    '["1234567890123456789012a",9007199254740993]',
    ['1234567890123456789012a', 9007199254740993n],
  ],
]
for (const [what, text, expected] of cases) {
  test(`reads ${what}`, () => assert.deepEqual(parseExactJson(text), expected))
}

test('finds a long number wherever it stands in a text', () => {
  for (let before = 0; before < 40; before++) {
    for (let after = 0; after < 20; after++) {
      const text = `["${'x'.repeat(before)}",9007199254740993,"${'x'.repeat(after)}"]`
      assert.deepEqual(parseExactJson(text), ['x'.repeat(before), 9007199254740993n, 'x'.repeat(after)])
    }
  }
})

test('refuses what is no JSON, with a long number in it or not', () => {
  for (const text of ['', '{', '9007199254740993,', '01234567890123456789', '[9007199254740993']) {
    assert.throws(() => parseExactJson(text), SyntaxError)
  }
})

test('gives back every value at any depth, by both ways of writing it', () => {
  fc.assert(
    fc.property(json, (value) => {
      assert.deepEqual(parseExactJson(stringifyExact(value)), value)
      assert.deepEqual(parseExactJson(stringifyExact(value, 2)), value)
      assert.deepEqual(parseExactJson(canonicalJson(value)), value)
    }),
    {numRuns: 500},
  )
})

test('has one canonical form for a value, however it was written, and others for other numbers', () => {
  fc.assert(
    fc.property(json, whole, (value, number) => {
      const text = canonicalJson(value)
      assert.equal(canonicalJson(parseExactJson(text)), text)
      assert.equal(canonicalJson(parseExactJson(stringifyExact(value, 1))), text)
      assert.notEqual(canonicalJson([number]), canonicalJson([readWhole((BigInt(number) + 1n).toString())]))
    }),
    {numRuns: 500},
  )
  assert.equal(
    canonicalJson({b: 9007199254740993n, a: [9007199254740992n]}),
    '{"a":[9007199254740992],"b":9007199254740993}',
  )
})

test('writes what the RFC says where no number is beyond 2^53', () => {
  fc.assert(
    fc.property(plain, (value) => assert.equal(canonicalJson(value), canonicalize(value))),
    {numRuns: 1_000},
  )
  for (const value of [
    {b: undefined, a: [undefined]},
    new Date(0),
    {'€': 1, '\r': 2, '😀': 3, דּ: 4, 1: 5, '\u0080': 6},
  ]) {
    assert.equal(canonicalJson(value), canonicalize(value))
  }
})

test('writes a float beyond 2^53 as the RFC does, and alike when it comes back as digits', () => {
  fc.assert(
    fc.property(fc.double({noNaN: true, noDefaultInfinity: true}), (value) => {
      const text = canonicalJson(value)
      assert.equal(text, canonicalize(value))
      assert.equal(canonicalJson(parseExactJson(text)), text)
    }),
    {numRuns: 1_000},
  )
})

test('refuses what would not come back as it is, without telling it', () => {
  const circle: Record<string, unknown> = {}
  circle.self = circle
  for (const value of [
    2n ** 64n,
    -(2n ** 63n) - 1n,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    'secret\ud800',
    undefined,
    circle,
  ]) {
    assert.throws(
      () => canonicalJson(value),
      (error) => error instanceof BundleError && error.code === 'MALFORMED' && !/secret|\d{6}/.test(error.message),
    )
  }
})
