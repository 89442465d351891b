import type {JsonObject} from '#shared/model/manifest.ts'
import {formatRef, refOf} from '#shared/model/object-ref.ts'
import {diffValues} from '#shared/plan/diff-fields.ts'
import type {Place} from '../render-error.ts'
import type {FoundManifest} from '../to-manifests.ts'

const maxNamed = 5

/** What differs between two renders of the same input: in words without any value, and the file of the first such object. */
export interface Unstable {
  message: string
  place: Place
}

/** Tells which fields of which objects differ between two renders of the same input; undefined where none does. */
export function findUnstable(first: readonly FoundManifest[], second: readonly FoundManifest[]): Unstable | undefined {
  if (first.length !== second.length) {
    const message = `One render gives ${first.length} objects, another ${second.length}. Which objects there are must not be random`
    return {message, place: first.find(({place}) => place.file !== undefined)?.place ?? {}}
  }
  const found = first.flatMap(({manifest, place}, index) => {
    const other = second[index]?.manifest
    const name = formatRef(refOf(manifest))
    if (other === undefined || formatRef(refOf(other)) !== name) return [{field: `the name of ${name}`, place}]
    // The whole object is the author's here, status included.
    return diffValues(whole(manifest), whole(other)).map(({path}) => ({
      field: `${name} ${path.replace(/^\/object/, '')}`,
      place,
    }))
  })
  const [random] = found
  if (random === undefined) return undefined
  const more = found.length > maxNamed ? `, and ${found.length - maxNamed} more` : ''
  const fields = found.slice(0, maxNamed).map(({field}) => field)
  const message = `Each render gives another value of ${fields.join(', ')}${more}. All clusters share the value, and each change of the app changes it. Make it once, in a Secret that the chart is told of`
  return {message, place: random.place}
}

function whole(manifest: JsonObject): JsonObject {
  return {object: manifest}
}
