import type {NamespaceMetadata} from '#shared/model/plan-options.ts'
import type {KubeClient} from './kube/kube-client.ts'
import {stateTypes} from './state-types.ts'

/** Creates a namespace where there is none, with the labels and annotations given; one that exists is left as it is. */
export async function ensureNamespace(
  kube: Pick<KubeClient, 'get' | 'create'>,
  name: string,
  {impersonate, metadata = {}}: {impersonate?: string; metadata?: NamespaceMetadata} = {},
): Promise<'created' | 'exists'> {
  const found = await kube.get(stateTypes.namespace, {namespace: '', name}, 'metadata')
  if (found !== 'absent') return 'exists'
  const {labels = {}, annotations = {}} = metadata
  const answer = await kube.create(
    stateTypes.namespace,
    {apiVersion: 'v1', kind: 'Namespace', metadata: {name, labels, annotations}},
    impersonate,
  )
  return answer === 'exists' ? 'exists' : 'created'
}
