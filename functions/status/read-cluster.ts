import {parseEnvelope} from '#shared/attest/envelope.ts'
import {VerificationError} from '#shared/attest/verification-error.ts'
import {parseDesiredState} from '#shared/attest/verify-desired-state.ts'
import {parseExactJson} from '#shared/bundle/exact-json.ts'
import {type ClusterReport, clusterReportSchema} from '#shared/model/cluster-report.ts'
import {type ClusterStatus, clusterStatusSchema} from '#shared/model/cluster-status.ts'
import type {DesiredState} from '#shared/model/desired-state.ts'
import {keys} from '#shared/model/keys.ts'
import {limits} from '#shared/model/limits.ts'
import type {ObjectStore, StoredObject} from '#shared/ports/object-store.ts'
import {ObjectStoreError} from '#shared/ports/object-store-error.ts'

/** All that is stored about a cluster, parsed; what cannot be read is absent and has a line in `problems`. */
export interface ClusterRecord {
  report?: ClusterReport
  desired?: DesiredState
  status?: ClusterStatus
  /** Tag of the stored status, even where it could not be read. */
  statusEtag?: string
  problems: {code: string; message: string}[]
}

/**
 * Reads a cluster's report, desired state and status at once. A report counts only where it names the cluster whose key it was
 * found under: that key is what proves who wrote it. Rejects with `ObjectStoreError` UNAVAILABLE or ACCESS_DENIED.
 */
export async function readCluster(store: ObjectStore, cluster: string): Promise<ClusterRecord> {
  const problems: ClusterRecord['problems'] = []
  const read = async (key: string, maxBytes: number): Promise<StoredObject | undefined> => {
    try {
      const stored = await store.get(key, {maxBytes})
      return typeof stored === 'string' ? undefined : stored
    } catch (error) {
      if (!(error instanceof ObjectStoreError) || error.code !== 'TOO_LARGE') throw error
      problems.push({code: 'TOO_LARGE', message: error.message})
      return undefined
    }
  }
  const [reportBytes, desiredBytes, statusBytes] = await Promise.all([
    read(keys.report(cluster), limits.maxReportBytes),
    read(keys.desired(cluster), limits.maxEnvelopeBytes),
    // A status holds the report and little more.
    read(keys.status(cluster), limits.maxReportBytes * 2),
  ])
  const report = reportBytes && parseReport(reportBytes.bytes, cluster, problems)
  const desired = desiredBytes && readDesired(desiredBytes.bytes, cluster, problems)
  const status = statusBytes && clusterStatusSchema.safeParse(parseJson(statusBytes.bytes)).data
  return {
    problems,
    ...(report !== undefined && {report}),
    ...(desired !== undefined && {desired}),
    ...(status !== undefined && {status}),
    ...(statusBytes !== undefined && {statusEtag: statusBytes.etag}),
  }
}

function parseReport(
  bytes: Uint8Array,
  cluster: string,
  problems: ClusterRecord['problems'],
): ClusterReport | undefined {
  const parsed = clusterReportSchema.safeParse(parseJson(bytes))
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    problems.push({
      code: 'REPORT_MALFORMED',
      message: `the report of cluster ${cluster} cannot be read: ${issue?.path.join('.')} ${issue?.message}`,
    })
    return undefined
  }
  if (parsed.data.cluster !== cluster) {
    problems.push({
      code: 'REPORT_OF_OTHER_CLUSTER',
      message: `the report at ${keys.report(cluster)} claims to be of cluster ${parsed.data.cluster}; it is ignored`,
    })
    return undefined
  }
  return parsed.data
}

// Only what to show is read from it, and only publish can write it; the agents are the ones to verify it.
function readDesired(
  bytes: Uint8Array,
  cluster: string,
  problems: ClusterRecord['problems'],
): DesiredState | undefined {
  try {
    return parseDesiredState(Buffer.from(parseEnvelope(bytes).payload, 'base64'))
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error
    problems.push({
      code: 'DESIRED_STATE_UNREADABLE',
      message: `the desired state of cluster ${cluster} cannot be read: ${error.message}`,
    })
    return undefined
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return parseExactJson(Buffer.from(bytes).toString('utf8'))
  } catch {
    return undefined
  }
}
