import type {JsonObject} from '#shared/model/manifest.ts'
import {formatRef, refOf} from '#shared/model/object-ref.ts'
import {diffValues} from '#shared/plan/diff-fields.ts'
import type {FoundManifest} from '../to-manifests.ts'

const maxNamed = 5

/** Tells which fields of which objects differ between two renders of the same input, in words without any value; undefined where none does. */
export function findUnstable(first: readonly FoundManifest[], second: readonly FoundManifest[]): string | undefined {
  if (first.length !== second.length) {
    return `one render gives ${first.length} objects, another ${second.length}: which ones there are must not be random`
  }
  const places = first.flatMap(({manifest}, index) => {
    const other = second[index]?.manifest
    const name = formatRef(refOf(manifest))
    if (other === undefined || formatRef(refOf(other)) !== name) return [`the name of ${name}`]
    // The whole object is the author's here, status included.
    return diffValues(whole(manifest), whole(other)).map(({path}) => `${name} ${path.replace(/^\/object/, '')}`)
  })
  if (places.length === 0) return undefined
  const more = places.length > maxNamed ? `, and ${places.length - maxNamed} more` : ''
  return `each render gives other values of ${places.slice(0, maxNamed).join(', ')}${more}: what is random changes with every change of the app, and all clusters share it; make it once, in a Secret that the chart is told of`
}

function whole(manifest: JsonObject): JsonObject {
  return {object: manifest}
}
