import assert from 'node:assert/strict'
import {test} from 'node:test'
import {RenderError} from '#functions/render/render-error.ts'
import {toManifests} from '#functions/render/to-manifests.ts'
import type {Json} from '#shared/model/manifest.ts'

const found = (size: Json) => [
  {
    value: {apiVersion: 'v1', kind: 'Box', metadata: {name: 'a'}, spec: [{size}]},
    place: {file: 'a.yaml', line: 3},
    position: 1,
  },
]

for (const [what, size] of [
  ["int64's bounds", [-(2n ** 63n), 2n ** 63n - 1n]],
  ["uint64's bound", 2n ** 64n - 1n],
  ['what every number holds', [2 ** 53 - 1, 0.5, -1]],
  ['what kubectl reads as a float too', [2 ** 64, 1e21, -1e300]],
] as const) {
  test(`takes ${what}`, () => {
    assert.deepEqual(toManifests(found(size as Json))[0]?.manifest.spec, [{size}])
  })
}

for (const [what, size, reason] of [
  ['infinity', Number.POSITIVE_INFINITY, /\.inf or \.nan/],
  ['no number', Number.NaN, /\.inf or \.nan/],
  ['a whole number whose digits are lost by now', 2 ** 53, /above 2\^53/],
  ['a whole number that no reader in the cluster keeps', 2n ** 64n, /neither int64 nor uint64/],
] as const) {
  test(`refuses ${what}, and says where it is`, () => {
    assert.throws(
      () => toManifests(found(size)),
      (error) =>
        error instanceof RenderError &&
        error.code === 'OBJECT_INVALID' &&
        reason.test(error.message) &&
        error.message.includes('document 1 of a.yaml (line 3)'),
    )
  })
}
