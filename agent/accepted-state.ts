import {gunzipSync, gzipSync} from 'node:zlib'
import * as z from 'zod'
import {type Digest, digestSchema} from '#shared/model/digest.ts'
import {DrawbridgeError} from '#shared/model/drawbridge-error.ts'
import {limits} from '#shared/model/limits.ts'
import {childObject} from '#shared/model/manifest.ts'
import {timeSchema} from '#shared/model/names.ts'
import type {KubeClient} from './kube/kube-client.ts'
import type {KubeObject} from './kube/kube-object.ts'
import {stateTypes} from './state-types.ts'
import {createStateWriter, type StateWriterOptions} from './write-state.ts'

/** What was accepted last, as the cluster remembers it. */
export interface AcceptedRecord {
  version: number
  payload: Digest
  /** RFC 3339. */
  acceptedAt: string
  /** The whole envelope; absent where it is too large to keep in the cluster. */
  envelope?: Uint8Array
}

/** Somebody changed the memory, so that it cannot be read. No retry can succeed before it is put right. */
export class AcceptedStateError extends DrawbridgeError<'MALFORMED'> {}

/** The memory of the accepted desired state: ConfigMap `drawbridge-accepted`. */
export interface AcceptedStore {
  load(): Promise<AcceptedRecord | undefined>
  save(record: AcceptedRecord): Promise<void>
  /** Ends the term and rejects with `KubeError` ABORTED where another agent accepted something newer than `version`. One small read. */
  requireNewest(version: number): Promise<void>
}

/** Base64 and metadata around it still fit into etcd's 1.5 MiB. */
const MAX_KEPT_BYTES = 900 * 1024
const NAME = 'drawbridge-accepted'

const recordSchema = z.object({
  version: z.coerce.number().int().positive(),
  payload: digestSchema,
  acceptedAt: timeSchema,
})

/** Creates the memory in a namespace that exists. Never lets an older version take the place of a newer one, which another agent accepted. */
export function createAcceptedStore(
  kube: Pick<KubeClient, 'get' | 'apply' | 'create' | 'delete'>,
  namespace: string,
  options: StateWriterOptions = {},
): AcceptedStore {
  const target = {namespace, name: NAME}
  const state = createStateWriter(kube, options)
  let begun = false
  return {
    async load() {
      const found = await kube.get(stateTypes.configMap, target, 'whole')
      // A later look is no leave to write over what it found.
      if (!begun && found !== 'absent') state.note(found)
      begun = true
      if (found === 'absent') return undefined
      // A memory that cannot be read must not count as none: that would let an older version in.
      try {
        const record = recordSchema.parse(childObject(found, 'data'))
        const kept = childObject(found, 'binaryData')?.envelope
        if (typeof kept !== 'string' || kept === '') return record
        const envelope = gunzipSync(Buffer.from(kept, 'base64'), {maxOutputLength: limits.maxEnvelopeBytes})
        return {...record, envelope}
      } catch (cause) {
        throw new AcceptedStateError(
          'MALFORMED',
          `ConfigMap ${namespace}/${NAME} does not say which version was accepted last, so nothing is applied; restore it, or delete it to accept whatever valid version is published`,
          {},
          {cause},
        )
      }
    },
    async save({version, payload, acceptedAt, envelope}) {
      const kept = envelope === undefined ? undefined : gzipSync(envelope)
      const body = {
        data: {version: String(version), payload, acceptedAt},
        binaryData: {
          envelope: kept === undefined || kept.length > MAX_KEPT_BYTES ? '' : kept.toString('base64'),
        },
      }
      await state.write(target, body, (present) => versionOf(present) > version)
    },
    async requireNewest(version) {
      const seen = await kube.get(stateTypes.configMap, target, 'metadata')
      if (seen === 'absent' || state.knows(seen)) return
      const present = await kube.get(stateTypes.configMap, target, 'whole')
      if (present !== 'absent' && versionOf(present) > version) throw state.fence(target)
    },
  }
}

/** 0 where it cannot be read: whoever changed it was no agent. */
function versionOf(item: KubeObject): number {
  const {data} = recordSchema.pick({version: true}).safeParse(childObject(item, 'data'))
  return data?.version ?? 0
}
