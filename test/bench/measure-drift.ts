import type {WatchEvent} from '#agent/kube/kube-client.ts'
import {childObject} from '#shared/model/manifest.ts'
import type {BenchStack} from './bench-stack.ts'
import {configMapType, deploymentType} from './bench-types.ts'
import {type Summary, summarise} from './statistics.ts'
import {type ObjectWatch, watchObjects} from './watch-objects.ts'

/** Milliseconds from the answer to what somebody did until a watch shows the object as desired again. */
export interface DriftFigures {
  edited: Summary
  scaled: Summary
  deleted: Summary
}

/** Changes one object after another of the large app by hand, and measures how soon each is put right. */
export async function measureDrift({client, transport}: BenchStack, edits: number): Promise<DriftFigures> {
  const open = (type: typeof configMapType): Promise<ObjectWatch> =>
    watchObjects(client, type, {namespace: 'large', detail: 'whole'})
  const [configMaps, deployments] = await Promise.all([open(configMapType), open(deploymentType)])
  const configMapOf = (edit: number): string => `config-${edit * 5}`
  try {
    const edited = await repeat(edits, async (edit) => {
      const name = configMapOf(edit)
      const body = {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name, namespace: 'large'}, data: {value: 'by hand'}}
      return measure(
        configMaps,
        name,
        ({object}) => childObject(object, 'data')?.value === 'by hand',
        async () => {
          const options = {fieldManager: 'somebody', force: true, detail: 'metadata'} as const
          await client.apply(configMapType, {namespace: 'large', name}, JSON.stringify(body), options)
        },
      )
    })
    const scaled = await repeat(edits, async (edit) => {
      const name = `deployment-${edit * 5 + 4}`
      return measure(
        deployments,
        name,
        ({object}) => childObject(object, 'spec')?.replicas === 1,
        async () => {
          await transport.send({
            method: 'PATCH',
            path: `/apis/apps/v1/namespaces/large/deployments/${name}/scale?fieldManager=somebody`,
            contentType: 'application/merge-patch+json',
            body: '{"spec":{"replicas":1}}',
            what: `scale ${name}`,
          })
        },
      )
    })
    const deleted = await repeat(edits, async (edit) => {
      const name = `config-${edit * 5 + 1}`
      return measure(
        configMaps,
        name,
        ({type}) => type === 'deleted',
        async () => {
          await client.delete(configMapType, {namespace: 'large', name}, {propagation: 'Background'})
        },
      )
    })
    return {edited, scaled, deleted}
  } finally {
    await Promise.all([configMaps.stop(), deployments.stop()])
  }
}

async function repeat(times: number, run: (edit: number) => Promise<number>): Promise<Summary> {
  const samples: number[] = []
  for (let edit = 0; edit < times; edit++) samples.push(await run(edit))
  return summarise(samples)
}

/** What comes after the drifted state of an object is its correction. */
async function measure(
  watch: ObjectWatch,
  name: string,
  isDrifted: (event: WatchEvent) => boolean,
  interfere: () => Promise<void>,
): Promise<number> {
  let drifted = false
  const corrected = watch.expect(`${name} is as desired again`, (event) => {
    if (event.object.metadata.name !== name) return false
    if (isDrifted(event)) drifted = true
    return drifted && !isDrifted(event)
  })
  await interfere()
  const answered = Date.now()
  return (await corrected) - answered
}
