import type {ResourceType} from '#agent/kube/kube-client.ts'
import type {JsonObject} from '#shared/model/manifest.ts'
import type {TestCluster} from './open-test-cluster.ts'

const job: ResourceType = {group: 'batch', version: 'v1', kind: 'Job', plural: 'jobs', namespaced: true}

/** The Jobs of a namespace, each ended as soon as it is there. */
export interface FollowedJobs {
  /** The name of each Job that was made, in order. */
  made: string[]
  end(name: string, outcome: 'Complete' | 'Failed'): Promise<void>
  stop(): void
}

/** Does what the job controller would; `none` leaves a Job running. */
export async function followJobs(
  cluster: TestCluster,
  inNamespace: string,
  outcomeOf: (name: string) => 'Complete' | 'Failed' | 'none',
): Promise<FollowedJobs> {
  const over = new AbortController()
  const made: string[] = []
  const seen = new Set<string>()
  const end = async (name: string, outcome: 'Complete' | 'Failed'): Promise<void> => {
    await cluster.transport.send({
      method: 'PATCH',
      path: `/apis/batch/v1/namespaces/${inNamespace}/jobs/${name}/status`,
      contentType: 'application/merge-patch+json',
      body: JSON.stringify({status: endOfJob(outcome)}),
      what: `write the status of ${name}`,
    })
  }
  const {resourceVersion} = await cluster.admin.list(job, {detail: 'whole', namespace: inNamespace})
  const options = {detail: 'whole', namespace: inNamespace, resourceVersion, signal: over.signal} as const
  const watched = cluster.admin.watch(
    job,
    options,
    ({type, object}) => {
      const {name, uid} = object.metadata
      if (type === 'deleted' || seen.has(uid)) return
      seen.add(uid)
      made.push(name)
      const outcome = outcomeOf(name)
      // It may be gone by then.
      if (outcome !== 'none') end(name, outcome).catch(() => undefined)
    },
    () => undefined,
  )
  watched.catch(() => undefined)
  return {made, end, stop: () => over.abort()}
}

function endOfJob(outcome: 'Complete' | 'Failed'): JsonObject {
  const now = new Date().toISOString().replace(/\.\d+Z/, 'Z')
  const condition = (type: string): JsonObject => ({
    type,
    status: 'True',
    lastTransitionTime: now,
    lastProbeTime: now,
    reason: 'Test',
    message: `it is ${outcome}`,
  })
  return outcome === 'Complete'
    ? {startTime: now, completionTime: now, succeeded: 1, conditions: ['SuccessCriteriaMet', 'Complete'].map(condition)}
    : {startTime: now, failed: 1, conditions: ['FailureTarget', 'Failed'].map(condition)}
}
