import {parseExactJson, stringifyExact} from '#shared/bundle/exact-json.ts'
import {limits} from '#shared/model/limits.ts'
import {isJsonObject, type Json, type JsonObject} from '#shared/model/manifest.ts'
import {
  apiVersionOf,
  type Detail,
  type KubeClient,
  type ListOptions,
  type ObjectName,
  type ResourceType,
} from './kube-client.ts'
import {KubeError} from './kube-error.ts'
import {asKubeObject, asTriedObject, type KubeObject} from './kube-object.ts'
import {readRefusal} from './read-refusal.ts'
import {answerTooLarge, type KubeTransport} from './send-request.ts'
import {createListSplitter} from './split-list.ts'

/** The server holds a page whole; here one object at a time is. */
const PAGE_SIZE = 100
const MAX_PAGES = 5_000
/** The server sends a bookmark about once a minute, so a longer silence is a stream that died. */
const STALL_MS = 90_000

const accepts = {
  metadata: {
    one: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
    list: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
  },
  whole: {one: 'application/json', list: 'application/json'},
} as const

/** The port's implementation over HTTP and JSON. */
export function createKubeClient(transport: KubeTransport): KubeClient {
  return {
    async serverVersion() {
      const {body} = await transport.send({method: 'GET', path: '/version', what: "read the API server's version"})
      const parsed = parseObject(body)
      return typeof parsed.gitVersion === 'string' ? parsed.gitVersion : 'unknown'
    },

    async isReady() {
      const notReady = [500, 503]
      const {status} = await transport.send(
        {method: 'GET', path: '/readyz', what: 'ask whether the API server is ready', attempts: 1},
        [...notReady, 401, 403, 404],
      )
      return !notReady.includes(status)
    },

    async listTypes(apiVersion) {
      const path = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
      const response = await transport.send({method: 'GET', path, what: `discover ${apiVersion}`}, [404])
      return response.status === 404 ? 'absent' : readTypes(apiVersion, parseObject(response.body))
    },

    async listApiVersions() {
      const {body} = await transport.send({method: 'GET', path: '/apis', what: 'discover API groups'})
      const {groups} = parseObject(body)
      return ['v1', ...(Array.isArray(groups) ? groups : []).flatMap(readGroupVersions)]
    },

    async get(type, target, detail, impersonate) {
      const response = await transport.send(
        {
          method: 'GET',
          path: objectPath(type, target),
          accept: accepts[detail].one,
          impersonate,
          ...about('read', type, target),
        },
        [404],
      )
      return response.status === 404 ? 'absent' : readObject(response.body)
    },

    async list<T>(type: ResourceType, options: ListOptions, project?: (object: KubeObject) => T | undefined) {
      const items: T[] = []
      const what = `list ${type.plural}`
      let next = ''
      for (let page = 0; page < MAX_PAGES; page++) {
        const query = listQuery(options, {limit: String(PAGE_SIZE), ...(next === '' ? {} : {continue: next})})
        const received = receivePage(what, project)
        await transport.send({
          method: 'GET',
          path: `${collectionPath(type, options.namespace)}?${query}`,
          accept: accepts[options.detail].list,
          what,
          receive: received.begin,
          impersonate: options.impersonate,
        })
        for (const item of received.items) items.push(item)
        const {metadata: found} = parseObject(received.rest())
        const metadata = isJsonObject(found) ? found : {}
        next = typeof metadata.continue === 'string' ? metadata.continue : ''
        if (next === '') {
          return {items, resourceVersion: typeof metadata.resourceVersion === 'string' ? metadata.resourceVersion : ''}
        }
      }
      throw new KubeError('REJECTED', `${what}: more than ${MAX_PAGES * PAGE_SIZE} objects`)
    },

    async watch(type, options, onEvent, onVersion, onSkipped) {
      let expired = false
      let failure: KubeError | undefined
      const what = `watch ${type.plural}`
      const query = listQuery(options, {
        watch: '1',
        allowWatchBookmarks: 'true',
        resourceVersion: options.resourceVersion,
        timeoutSeconds: String(300 + Math.floor(Math.random() * 300)),
      })
      const response = await transport.stream(
        {
          method: 'GET',
          path: `${collectionPath(type, options.namespace)}?${query}`,
          accept: accepts[options.detail].one,
          signal: options.signal,
          what,
        },
        STALL_MS,
        (line) => {
          const event = parseObject(line)
          if (event.type === 'ERROR') {
            const status = isJsonObject(event.object) ? event.object : {}
            if (status.code === 410) expired = true
            else failure = readRefusal({what}, {status: Number(status.code) || 500, body: stringifyExact(status)})
            return
          }
          const object = asKubeObject(event.object)
          onVersion(object.metadata.resourceVersion)
          if (event.type === 'ADDED' || event.type === 'MODIFIED') onEvent({type: 'changed', object})
          else if (event.type === 'DELETED') onEvent({type: 'deleted', object})
        },
        () => onSkipped?.(answerTooLarge(what)),
      )
      if (expired || response.status === 410) return 'expired'
      if (failure !== undefined) throw failure
      if (response.status !== 200) throw readRefusal({what}, response)
      return 'ended'
    },

    async apply(type, target, body, options) {
      const query = new URLSearchParams({fieldManager: options.fieldManager})
      if (options.force) query.set('force', 'true')
      if (options.dryRun) query.set('dryRun', 'All')
      const {body: answer} = await transport.send({
        method: 'PATCH',
        path: `${objectPath(type, target)}${options.subresource === undefined ? '' : `/${options.subresource}`}?${query}`,
        accept: accepts[options.detail].one,
        contentType: 'application/apply-patch+yaml',
        body,
        impersonate: options.impersonate,
        lastTry: options.lastTry,
        impatient: options.impatient,
        ...about(options.dryRun ? 'dry-run' : 'apply', type, target),
      })
      return options.dryRun ? asTriedObject(parseObject(answer)) : readObject(answer)
    },

    async create(type, object, impersonate) {
      const target = {namespace: object.metadata.namespace ?? '', name: object.metadata.name}
      const response = await transport.send(
        {
          method: 'POST',
          path: collectionPath(type, target.namespace),
          body: stringifyExact(object),
          impersonate,
          attempts: 1,
          ...about('create', type, target),
        },
        [409],
      )
      return response.status === 409 ? 'exists' : readObject(response.body)
    },

    async replace(type, object, impersonate, dryRun) {
      const target = {namespace: object.metadata.namespace ?? '', name: object.metadata.name}
      const response = await transport.send(
        {
          method: 'PUT',
          path: `${objectPath(type, target)}${dryRun === undefined ? '' : '?dryRun=All'}`,
          body: stringifyExact(object),
          impersonate,
          attempts: 1,
          timeoutMs: 5_000,
          ...about('replace', type, target),
        },
        [409],
      )
      return response.status === 409 ? 'conflict' : readObject(response.body)
    },

    async setManagedFields(type, target, {resourceVersion, managedFields}, impersonate) {
      const response = await transport.send(
        {
          method: 'PATCH',
          path: objectPath(type, target),
          accept: accepts.metadata.one,
          contentType: 'application/json-patch+json',
          body: stringifyExact([
            {op: 'replace', path: '/metadata/managedFields', value: managedFields},
            {op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion},
          ]),
          impersonate,
          attempts: 1,
          ...about('take over the fields of', type, target),
        },
        [409],
      )
      return response.status === 409 ? 'conflict' : 'set'
    },

    async delete(type, target, options) {
      const preconditions = {
        ...(options.uid === undefined ? {} : {uid: options.uid}),
        ...(options.resourceVersion === undefined ? {} : {resourceVersion: options.resourceVersion}),
      }
      const response = await transport.send(
        {
          method: 'DELETE',
          path: objectPath(type, target),
          accept: accepts.metadata.one,
          body: stringifyExact({
            apiVersion: 'v1',
            kind: 'DeleteOptions',
            propagationPolicy: options.propagation,
            preconditions,
          }),
          impersonate: options.impersonate,
          lastTry: options.lastTry,
          impatient: options.impatient,
          ...about('delete', type, target),
        },
        [404, 409],
      )
      if (response.status === 404) return 'absent'
      if (response.status === 409) return 'conflict'
      return isFinalizing(response.body) ? 'finalizing' : 'deleted'
    },

    close: () => transport.close(),
  }
}

/** Takes one page of a list, object by object: of each only what `project` makes of it is kept. A page that is tried again begins anew. */
function receivePage<T>(what: string, project: ((object: KubeObject) => T | undefined) | undefined) {
  const keep = (project ?? ((object: KubeObject) => object)) as (object: KubeObject) => T | undefined
  const page = {
    items: [] as T[],
    rest: () => '',
    begin() {
      page.items = []
      const splitter = createListSplitter(limits.maxAnswerBytes, {
        onItem(json) {
          const kept = keep(readObject(json))
          if (kept !== undefined) page.items.push(kept)
        },
        onTooLong() {
          throw answerTooLarge(what)
        },
      })
      page.rest = splitter.rest
      return splitter.push
    },
  }
  return page
}

function about(verb: string, type: ResourceType, target: ObjectName): {what: string; confidential: boolean} {
  const name = target.namespace === '' ? target.name : `${target.namespace}/${target.name}`
  return {what: `${verb} ${type.kind} ${name}`, confidential: type.group === '' && type.kind === 'Secret'}
}

function collectionPath(type: ResourceType, namespace = ''): string {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${apiVersionOf(type)}`
  const scope = namespace === '' || !type.namespaced ? '' : `/namespaces/${encodeURIComponent(namespace)}`
  return `${root}${scope}/${type.plural}`
}

function objectPath(type: ResourceType, target: ObjectName): string {
  return `${collectionPath(type, target.namespace)}/${encodeURIComponent(target.name)}`
}

function listQuery(options: ListOptions & {detail: Detail}, more: Record<string, string>): string {
  const query = new URLSearchParams(more)
  if (options.labelSelector !== undefined) query.set('labelSelector', options.labelSelector)
  if (options.fieldSelector !== undefined) query.set('fieldSelector', options.fieldSelector)
  return query.toString()
}

/** The answer to a deletion is the object, where it is not gone yet. Those of the propagation are the server's own. */
function isFinalizing(body: string): boolean {
  const {metadata} = parseObject(body)
  const finalizers = isJsonObject(metadata) && Array.isArray(metadata.finalizers) ? metadata.finalizers : []
  return finalizers.some((name) => name !== 'foregroundDeletion' && name !== 'orphan')
}

function readObject(body: string): KubeObject {
  return asKubeObject(parseObject(body))
}

function parseObject(body: string): JsonObject {
  let parsed: unknown
  try {
    parsed = parseExactJson(body)
  } catch (cause) {
    throw new KubeError('UNAVAILABLE', 'the API server answered with something that is not JSON', {}, {cause})
  }
  if (!isJsonObject(parsed))
    throw new KubeError('UNAVAILABLE', 'the API server answered with something that is not an object')
  return parsed
}

function readGroupVersions(group: Json): string[] {
  if (!isJsonObject(group)) return []
  const all = [group.preferredVersion, ...(Array.isArray(group.versions) ? group.versions : [])]
  const names = all.flatMap((version) =>
    isJsonObject(version) && typeof version.groupVersion === 'string' ? [version.groupVersion] : [],
  )
  return [...new Set(names)]
}

function readTypes(apiVersion: string, list: JsonObject): ResourceType[] {
  const [first, second] = apiVersion.split('/')
  const [group, version] = second === undefined ? ['', first ?? ''] : [first ?? '', second]
  const resources = Array.isArray(list.resources) ? list.resources : []
  return resources.flatMap((resource) => {
    if (!isJsonObject(resource)) return []
    const {name, kind, namespaced, verbs} = resource
    if (typeof name !== 'string' || typeof kind !== 'string' || name.includes('/')) return []
    return [
      {
        group,
        version,
        kind,
        plural: name,
        namespaced: namespaced === true,
        listable: Array.isArray(verbs) && verbs.includes('list'),
      },
    ]
  })
}
