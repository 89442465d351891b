import * as z from 'zod'
import {presentAppSchema} from '#shared/model/desired-state.ts'
import {digestSchema} from '#shared/model/digest.ts'
import {childObject} from '#shared/model/manifest.ts'
import {timeSchema} from '#shared/model/names.ts'
import type {KubeClient} from './kube/kube-client.ts'
import {labelOf} from './kube/kube-object.ts'
import {HEALTHY_LABEL, STATE_MANAGER} from './marks.ts'
import {stateTypes} from './state-types.ts'

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

/** Creates the memory in a namespace that exists. One agent writes at a time: it holds the Lease. */
export function createHealthyStore(
  kube: Pick<KubeClient, 'apply' | 'delete' | 'list'>,
  namespace: string,
): HealthyStore {
  const nameOf = (app: string) => ({namespace, name: `drawbridge-healthy-${app}`})
  return {
    async loadAll() {
      const {items} = await kube.list(stateTypes.configMap, {detail: 'whole', namespace, labelSelector: HEALTHY_LABEL})
      const records = items.flatMap((item): [string, HealthyRecord][] => {
        const app = labelOf(item, HEALTHY_LABEL)
        const record = parseRecord(childObject(item, 'data')?.record)
        return app === undefined || record === undefined ? [] : [[app, record]]
      })
      return new Map(records)
    },
    async save(app, record) {
      const metadata = {...nameOf(app), labels: {[HEALTHY_LABEL]: app}}
      const body = {apiVersion: 'v1', kind: 'ConfigMap', metadata, data: {record: JSON.stringify(record)}}
      const options = {fieldManager: STATE_MANAGER, force: true, detail: 'metadata' as const}
      await kube.apply(stateTypes.configMap, nameOf(app), JSON.stringify(body), options)
    },
    async remove(app) {
      await kube.delete(stateTypes.configMap, nameOf(app), {propagation: 'Background'})
    },
  }
}

function parseRecord(text: unknown): HealthyRecord | undefined {
  try {
    return recordSchema.parse(JSON.parse(String(text)))
  } catch {
    return undefined
  }
}
