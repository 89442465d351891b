import {childObject, isJsonObject, type JsonObject} from '../../model/manifest.ts'
import {asNumber, inProgress, type ObjectHealth, readNumber} from './read-status.ts'

const counted = /^(ready|available)([A-Z]\w*)$/
const share = /^(\d+)\/(\d+)$/

/** Judges by counts that custom workloads copy from the built-in ones: undefined where all are as wanted or nothing is counted. */
export function judgeCounts(object: JsonObject): ObjectHealth | undefined {
  const status = childObject(object, 'status')
  if (status?.ready === false || status?.readyToUse === false) return inProgress('its status says that it is not ready')
  const wanted = readNumber(childObject(object, 'spec'), 'replicas', readNumber(status, 'replicas', 0))
  for (const [field, meaning] of [
    ['readyReplicas', 'ready'],
    ['availableReplicas', 'available'],
    ['updatedReplicas', 'updated to the present template'],
    ['updatedReadyReplicas', 'updated and ready'],
  ] as const) {
    const count = asNumber(status?.[field])
    if (count !== undefined && count < wanted) return inProgress(`${count} of ${wanted} replicas ${meaning}`)
  }
  const short = status === undefined ? undefined : findShort(status, 2)
  return short === undefined ? undefined : inProgress(short)
}

// `readyNodes` of `nodes` or `expectedNodes`, `ready` of `size`, `readyReplicas: "1/3"`; in the status and in what it is divided into (racks, shards, replica sets).
function findShort(counts: JsonObject, depth: number): string | undefined {
  for (const [field, value] of Object.entries(counts)) {
    const found =
      isJsonObject(value) && depth > 0
        ? findShort(value, depth - 1)
        : typeof value === 'string'
          ? findShortShare(field, value)
          : findShortCount(counts, field, asNumber(value))
    if (found !== undefined) return found
  }
  return undefined
}

function findShortShare(field: string, text: string): string | undefined {
  const [, count, of] = share.exec(text) ?? []
  return /ready|replicas|available/i.test(field) && Number(count) < Number(of) ? `${field} is ${text}` : undefined
}

function findShortCount(counts: JsonObject, field: string, count: number | undefined): string | undefined {
  const [, word, noun] = counted.exec(field) ?? []
  const plain = noun === undefined ? '' : noun.charAt(0).toLowerCase() + noun.slice(1)
  const totals =
    field === 'ready' ? ['size', 'total', 'desired'] : [plain, `expected${noun}`, `desired${noun}`, `total${noun}`]
  if (count === undefined || (word === undefined && field !== 'ready')) return undefined
  const wanted = totals.map((total) => asNumber(counts[total])).find((total) => total !== undefined)
  return wanted !== undefined && count < wanted ? `${field} is ${count} of ${wanted}` : undefined
}
