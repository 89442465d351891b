import type {ResourceType} from '#agent/kube/kube-client.ts'
import type {BenchStack} from './bench-stack.ts'
import {type Summary, summarise} from './statistics.ts'

const CONFIG_MAPS: ResourceType = {group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true}

export interface DriftFigures {
  /** Milliseconds from the answer to somebody's edit until `drifted` is logged. */
  noticed: Summary
  /** Milliseconds from the same until `healed` is logged. */
  healed: Summary
}

/** Edits one object after another of the large app by hand, and measures how soon each is noticed and healed. */
export async function measureDrift({client, events}: BenchStack, edits: number): Promise<DriftFigures> {
  const noticed: number[] = []
  const healed: number[] = []
  for (let edit = 0; edit < edits; edit++) {
    const name = `config-${edit * 7}`
    const body = JSON.stringify({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {name, namespace: 'large'},
      data: {value: 'by hand'},
    })
    const since = events.mark()
    await client.apply(CONFIG_MAPS, {namespace: 'large', name}, body, {
      fieldManager: 'somebody',
      force: true,
      detail: 'metadata',
    })
    const edited = Date.now()
    const at = async (what: 'drifted' | 'healed'): Promise<number> => {
      const event = await events.waitFor(
        `${name} is ${what}`,
        (seen) => seen.event === what && seen.object?.endsWith(`/${name}`) === true,
        {since, timeoutMilliseconds: 60_000},
      )
      return Date.parse(event.at) - edited
    }
    noticed.push(await at('drifted'))
    healed.push(await at('healed'))
  }
  return {noticed: summarise(noticed), healed: summarise(healed)}
}
