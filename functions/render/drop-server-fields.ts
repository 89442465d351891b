import {formatRef, refOf} from '#shared/model/object-ref.ts'
import {formatPlace} from '#shared/model/outcome.ts'
import type {FoundManifest} from './to-manifests.ts'

/** What only the API server writes: `kubectl get -o yaml` prints it. Sent back, it would be a condition that holds once. */
const serverFields = [
  'creationTimestamp',
  'deletionGracePeriodSeconds',
  'deletionTimestamp',
  'generation',
  'managedFields',
  'resourceVersion',
  'selfLink',
  'uid',
] as const
const maxNamed = 3

/** Leaves out what the API server alone decides of an object, and tells of it in words, where there is any. An empty `creationTimestamp` is a habit of generators and does no harm. */
export function dropServerFields(found: readonly FoundManifest[]): {kept: FoundManifest[]; warning?: string} {
  const told: string[] = []
  const kept = found.map((each) => {
    const {metadata} = each.manifest
    const own = serverFields.filter((field) => metadata[field] !== undefined && metadata[field] !== null)
    if (own.length === 0) return each
    const place = formatPlace(each.place)
    const at = place === '' ? '' : ` (${place})`
    told.push(`${formatRef(refOf(each.manifest))}${at}: metadata.${own.join(', metadata.')}`)
    const rest = Object.fromEntries(Object.entries(metadata).filter(([field]) => !own.some((it) => it === field)))
    return {...each, manifest: {...each.manifest, metadata: {...rest, name: metadata.name}}}
  })
  if (told.length === 0) return {kept}
  const more = told.length > maxNamed ? `, and ${told.length - maxNamed} more` : ''
  const warning = `left out what only the API server decides: ${told.slice(0, maxNamed).join('; ')}${more}. Remove it from git: it was exported from a cluster`
  return {kept, warning}
}
