import {normaliseRepositoryUrl, sameRepository} from '../model/repository-url.ts'
import type {PolicyRefusal, RepositoryPolicy} from '../model/tracked-repository.ts'
import {isAllowed} from './match-pattern.ts'

const WHERE = "in the bridge's configuration"

/** Tells why a tracked repository may not say anything to a cluster; undefined where it may. */
export function checkCluster(policy: RepositoryPolicy | undefined, cluster: string): PolicyRefusal | undefined {
  if (isAllowed(policy?.clusters, cluster)) return undefined
  return {
    code: 'CLUSTER_NOT_ALLOWED',
    message: `this repository may not name cluster ${cluster} (policy.clusters ${WHERE}); the cluster keeps what it has. Take the cluster out of the App, or ask who runs the bridge`,
  }
}

/** Tells why an app may not be rendered from a repository. The declaring one is always allowed. */
export function checkSource(
  policy: RepositoryPolicy | undefined,
  {repository, declaredIn}: {repository: string; declaredIn: string},
): PolicyRefusal | undefined {
  if (policy?.sourceRepositories === undefined || sameRepository(repository, declaredIn)) return undefined
  const list = policy.sourceRepositories.map(normalisePattern)
  if (isAllowed(list, normaliseRepositoryUrl(repository))) return undefined
  return {
    code: 'SOURCE_NOT_ALLOWED',
    message: `this repository may not name ${normaliseRepositoryUrl(repository)} as a source (policy.sourceRepositories ${WHERE}). Choose another source, or ask who runs the bridge`,
  }
}

/** Tells why an app may not be applied as what it asks for; `serviceAccount` is `namespace/name`, the agent itself where it is absent. */
export function checkServiceAccount(
  policy: RepositoryPolicy | undefined,
  serviceAccount: string | undefined,
): PolicyRefusal | undefined {
  const list = policy?.serviceAccounts
  if (list === undefined || (serviceAccount !== undefined && isAllowed(list, serviceAccount))) return undefined
  const what =
    serviceAccount === undefined
      ? 'it names no serviceAccount, so it would be applied as the agent itself'
      : `this repository may not apply as ServiceAccount ${serviceAccount}`
  return {
    code: 'SERVICE_ACCOUNT_NOT_ALLOWED',
    message: `${what} (policy.serviceAccounts ${WHERE} allows ${list.join(', ') || 'none'})`,
  }
}

function normalisePattern(pattern: string): string {
  const isForbidding = pattern.startsWith('!')
  const url = isForbidding ? pattern.slice(1) : pattern
  return `${isForbidding ? '!' : ''}${/^\*+$/.test(url) ? url : normaliseRepositoryUrl(url)}`
}
