import type {ResourceType} from '#agent/kube/kube-client.ts'
import type {JsonObject} from '#shared/model/manifest.ts'
import {childObject} from '#shared/model/manifest.ts'
import type {BenchStack} from './bench-stack.ts'
import {configMapType, deploymentType, namespaceType} from './bench-types.ts'
import {watchObjects} from './watch-objects.ts'

const atOnce = 16

interface RawObject {
  type: ResourceType
  name: string
  body: string
}

/** Applies objects by plain server-side-apply PATCHes, 16 at once, into a namespace that it makes; returns the seconds. */
export async function applyRaw(
  {client}: Pick<BenchStack, 'client'>,
  namespace: string,
  objects: readonly JsonObject[],
): Promise<number> {
  const options = {fieldManager: 'raw', force: true, detail: 'metadata'} as const
  const body = JSON.stringify({apiVersion: 'v1', kind: 'Namespace', metadata: {name: namespace}})
  await client.apply(namespaceType, {namespace: '', name: namespace}, body, options)
  const start = performance.now()
  await eachAtOnce(objects.map(rawObject), async ({type, name, body}) => {
    await client.apply(type, {namespace, name}, body, options)
  })
  return (performance.now() - start) / 1000
}

/** Deletes objects by plain DELETEs, 16 at once; returns the seconds until a watch has seen the last one go. */
export async function deleteRaw(
  {client}: Pick<BenchStack, 'client'>,
  namespace: string,
  objects: readonly JsonObject[],
): Promise<number> {
  const raw = objects.map(rawObject)
  const gone = await watchGone({client}, namespace, raw.length)
  const start = Date.now()
  try {
    await eachAtOnce(raw, async ({type, name}) => {
      await client.delete(type, {namespace, name}, {propagation: 'Background'})
    })
    return ((await gone.at) - start) / 1000
  } finally {
    await gone.stop()
  }
}

/** Watches a namespace until so many ConfigMaps and Deployments were deleted in it; `at` is `Date.now()` of the last. */
export async function watchGone(
  {client}: Pick<BenchStack, 'client'>,
  namespace: string,
  objects: number,
): Promise<{at: Promise<number>; stop(): Promise<void>}> {
  const watches = await Promise.all(
    [configMapType, deploymentType].map((type) => watchObjects(client, type, {namespace})),
  )
  let left = objects
  const last = Promise.withResolvers<number>()
  for (const watch of watches) {
    watch
      .expect(`${objects} objects of ${namespace} go`, (event) => {
        if (event.type === 'deleted') left--
        return left === 0
      })
      .then(last.resolve, last.reject)
  }
  // Only one of the two sees the last: the other's time limit is no news, and neither is one after `stop`.
  last.promise.catch(() => undefined)
  return {
    at: last.promise,
    async stop() {
      await Promise.all(watches.map((watch) => watch.stop()))
    },
  }
}

function rawObject(object: JsonObject): RawObject {
  return {
    type: object.kind === 'Deployment' ? deploymentType : configMapType,
    name: String(childObject(object, 'metadata')?.name),
    body: JSON.stringify(object),
  }
}

async function eachAtOnce<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  let next = 0
  await Promise.all(
    Array.from({length: atOnce}, async () => {
      for (let item = items[next++]; item !== undefined; item = items[next++]) await run(item)
    }),
  )
}
