import {isJsonObject} from '#shared/model/manifest.ts'
import {fingerprintFields} from '#shared/plan/fingerprint-fields.ts'
import type {ResourceType} from './kube/kube-client.ts'
import type {KubeObject} from './kube/kube-object.ts'
import {FIELD_MANAGER} from './marks.ts'

/** Makes a fingerprint of who owns the fields that we applied; '' where we own none. It changes wherever the values may be others'. */
export function readFields({group, kind}: Pick<ResourceType, 'group' | 'kind'>, {metadata}: KubeObject): string {
  const own = fingerprintFields(metadata.managedFields, FIELD_MANAGER) ?? ''
  const secret = group === '' && kind === 'Secret'
  // An apply of `stringData` changes `data` and leaves its ownership as it was: then no write of others can be told from another.
  return secret && own !== '' && isWrittenAsText(metadata.managedFields) ? `${own}@${metadata.resourceVersion}` : own
}

function isWrittenAsText(managedFields: unknown): boolean {
  const entries = Array.isArray(managedFields) ? managedFields : []
  return entries.some((entry) => isJsonObject(entry?.fieldsV1) && 'f:stringData' in entry.fieldsV1)
}
