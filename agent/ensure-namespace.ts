import type {NamespaceMetadata} from '#shared/model/plan-options.ts'
import type {KubeClient} from './kube/kube-client.ts'
import {isKubeError} from './kube/kube-error.ts'
import {stateTypes} from './state-types.ts'

/**
 * Creates a namespace where there is none, with the labels and annotations given; one that exists is left as it is. `'unknown'`: the identity
 * may neither see nor make one, so what is applied into it tells.
 */
export async function ensureNamespace(
  kube: Pick<KubeClient, 'get' | 'create'>,
  name: string,
  {impersonate, metadata = {}}: {impersonate?: string; metadata?: NamespaceMetadata} = {},
): Promise<'created' | 'exists' | 'unknown'> {
  const found = await kube
    .get(stateTypes.namespace, {namespace: '', name}, 'metadata', impersonate)
    .catch(hideIfForbidden)
  if (found !== 'absent' && found !== 'hidden') return 'exists'
  const {labels = {}, annotations = {}} = metadata
  const namespace = {apiVersion: 'v1', kind: 'Namespace', metadata: {name, labels, annotations}}
  const made = kube.create(stateTypes.namespace, namespace, impersonate)
  const answer = await (found === 'hidden' ? made.catch(hideIfForbidden) : made)
  if (answer === 'hidden') return 'unknown'
  return answer === 'exists' ? 'exists' : 'created'
}

function hideIfForbidden(error: unknown): 'hidden' {
  if (isKubeError(error, 'FORBIDDEN')) return 'hidden'
  throw error
}
