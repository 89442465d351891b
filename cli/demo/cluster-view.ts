import {createKubeClient} from '#agent/kube/create-kube-client.ts'
import type {ResourceType} from '#agent/kube/kube-client.ts'
import {loadKubeconfigEndpoint} from '#agent/kube/load-endpoint.ts'
import {createTransport} from '#agent/kube/send-request.ts'
import {childObject, isJsonObject, type JsonObject} from '#shared/model/manifest.ts'

/** Looks into a cluster the way kubectl would: through its API server, as its administrator, past the bridge. */
export interface ClusterView {
  get(type: ResourceType, namespace: string, name: string): Promise<JsonObject | undefined>
  /** The value at a key of a ConfigMap's data. */
  configValue(namespace: string, name: string, key: string): Promise<string | undefined>
  /** Edits an object by hand, under another field manager. */
  edit(type: ResourceType, namespace: string, name: string, body: JsonObject): Promise<void>
  close(): void
}

export const CONFIG_MAP: ResourceType = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
}
export const DEPLOYMENT: ResourceType = {
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  namespaced: true,
}

/** Opens a view with an administrator's kubeconfig. */
export async function openClusterView(kubeconfigFile: string): Promise<ClusterView> {
  const client = createKubeClient(createTransport(await loadKubeconfigEndpoint(kubeconfigFile)))
  const get: ClusterView['get'] = async (type, namespace, name) => {
    const found = await client.get(type, {namespace, name}, 'whole')
    return found === 'absent' || !isJsonObject(found) ? undefined : found
  }
  return {
    get,
    async configValue(namespace, name, key) {
      const value = childObject(await get(CONFIG_MAP, namespace, name), 'data')?.[key]
      return typeof value === 'string' ? value : undefined
    },
    async edit(type, namespace, name, body) {
      const object = {
        apiVersion: type.group === '' ? type.version : `${type.group}/${type.version}`,
        kind: type.kind,
        metadata: {name, namespace},
        ...body,
      }
      await client.apply(type, {namespace, name}, JSON.stringify(object), {
        fieldManager: 'somebody-by-hand',
        force: true,
        detail: 'metadata',
      })
    },
    close: () => client.close(),
  }
}
