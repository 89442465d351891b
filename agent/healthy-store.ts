import * as z from 'zod'
import {presentAppSchema} from '#shared/model/desired-state.ts'
import {digestSchema} from '#shared/model/digest.ts'
import {childObject} from '#shared/model/manifest.ts'
import {timeSchema} from '#shared/model/names.ts'
import type {KubeClient} from './kube/kube-client.ts'
import {type KubeObject, labelOf} from './kube/kube-object.ts'
import {HEALTHY_LABEL} from './marks.ts'
import {stateTypes} from './state-types.ts'
import {createStateWriter, type StateWriterOptions} from './write-state.ts'

const NAME_PREFIX = 'drawbridge-healthy-'

/** What ran well last: whence, and the bundle, which is verified again before it is used. How it is applied is not kept: that is signed anew. */
const healthySchema = presentAppSchema.pick({revision: true, source: true, inputs: true, bundle: true, trace: true})
export type HealthyBundle = z.infer<typeof healthySchema>

/** What was rolled back: held until something newer is published. */
const rolledBackSchema = z.object({revision: z.string(), digest: digestSchema, reason: z.string(), since: timeSchema})
export type RolledBack = z.infer<typeof rolledBackSchema>

const recordSchema = z.object({healthy: healthySchema, rolledBack: rolledBackSchema.optional()})
export type HealthyRecord = z.infer<typeof recordSchema>

/** The memory of the last healthy bundles: ConfigMaps `drawbridge-healthy-<app>`, for the apps that ask for rollback. */
export interface HealthyStore {
  /** All records by app. One that cannot be read is left out: it costs a rollback, nothing else. */
  loadAll(): Promise<Map<string, HealthyRecord>>
  save(app: string, record: HealthyRecord): Promise<void>
  /** Idempotent. */
  remove(app: string): Promise<void>
}

/**
 * Creates the memory in a namespace that exists. One agent writes at a time: it holds the Lease, and where two believe that they do, the
 * writes of one of them fail and end its term. `writer` names the process.
 */
export function createHealthyStore(
  kube: Pick<KubeClient, 'apply' | 'create' | 'delete' | 'list' | 'get'>,
  namespace: string,
  {writer = '', ...options}: StateWriterOptions & {writer?: string} = {},
): HealthyStore {
  const nameOf = (app: string) => ({namespace, name: `${NAME_PREFIX}${app}`})
  const state = createStateWriter(kube, options)
  /** The records as they were read, by name. */
  const readBefore = new Map<string, unknown>()
  const isTheirs = (item: KubeObject): boolean => {
    const data = childObject(item, 'data')
    return appOf(item) !== undefined && data?.writer !== writer && data?.record !== readBefore.get(item.metadata.name)
  }
  return {
    async loadAll() {
      const {items} = await kube.list(stateTypes.configMap, {detail: 'whole', namespace, labelSelector: HEALTHY_LABEL})
      const records = items.flatMap((item): [string, HealthyRecord][] => {
        const app = appOf(item)
        if (app === undefined) return []
        const text = childObject(item, 'data')?.record
        state.note(item)
        readBefore.set(item.metadata.name, text)
        const record = parseRecord(text)
        return record === undefined ? [] : [[app, record]]
      })
      return new Map(records)
    },
    async save(app, record) {
      const body = {labels: {[HEALTHY_LABEL]: app}, data: {writer, record: JSON.stringify(record)}}
      await state.write(nameOf(app), body, isTheirs)
    },
    remove: (app) => state.remove(nameOf(app)),
  }
}

/** Whose record a ConfigMap is. Its name must be the very one that the agent gives: any label can be on any object. */
function appOf(item: KubeObject): string | undefined {
  const app = labelOf(item, HEALTHY_LABEL)
  return app !== undefined && item.metadata.name === `${NAME_PREFIX}${app}` ? app : undefined
}

function parseRecord(text: unknown): HealthyRecord | undefined {
  try {
    return recordSchema.parse(JSON.parse(String(text)))
  } catch {
    return undefined
  }
}
