import type {ResourceType} from '#agent/kube/kube-client.ts'
import {loadKubeconfigEndpoint} from '#agent/kube/load-endpoint.ts'
import {createTransport} from '#agent/kube/send-request.ts'
import {stringifyExact} from '#shared/bundle/exact-json.ts'
import type {JsonObject, Manifest} from '#shared/model/manifest.ts'
import type {TestCluster} from './open-test-cluster.ts'

/** What tools do that know no server-side apply, each under its own manager's name. */
export interface OtherClients {
  create(manager: string, type: ResourceType, manifest: Manifest): Promise<void>
  patch(manager: string, type: ResourceType, object: PatchedObject, body: JsonObject): Promise<void>
  close(): void
}

export interface PatchedObject {
  namespace: string
  name: string
  subresource?: 'scale' | 'status'
  /** How lists are merged. @default 'merge' */
  by?: 'merge' | 'strategic-merge'
}

/** Creates the administrator's clients of a cluster; to be closed. */
export async function createOtherClients({kubeconfigFile}: TestCluster): Promise<OtherClients> {
  const transport = createTransport(await loadKubeconfigEndpoint(kubeconfigFile))
  return {
    async create(manager, type, manifest) {
      const {name, namespace = ''} = manifest.metadata
      const body = stringifyExact(manifest)
      const path = `${collectionOf(type, namespace)}?fieldManager=${manager}`
      await transport.send({method: 'POST', path, body, what: `create ${type.kind} ${name}`})
    },
    async patch(manager, type, {namespace, name, subresource, by = 'merge'}, body) {
      const part = subresource === undefined ? name : `${name}/${subresource}`
      await transport.send({
        method: 'PATCH',
        path: `${collectionOf(type, namespace)}/${part}?fieldManager=${manager}`,
        contentType: `application/${by}-patch+json`,
        body: stringifyExact(body),
        what: `patch ${type.kind} ${name}`,
      })
    },
    close: () => transport.close(),
  }
}

function collectionOf({group, version, plural}: ResourceType, namespace: string): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  return `${root}${namespace === '' ? '' : `/namespaces/${namespace}`}/${plural}`
}
