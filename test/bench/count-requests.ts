import type {KubeTransport} from '#agent/kube/send-request.ts'

/** How many requests the API server has answered so far, by verb, for one resource or all of a set. Watches and its own are left out by the caller's choice of resources. */
export async function countRequests(
  transport: KubeTransport,
  resources: ReadonlySet<string>,
): Promise<Map<string, number>> {
  const {body} = await transport.send({method: 'GET', path: '/metrics', what: 'read the metrics of the API server'})
  const counts = new Map<string, number>()
  for (const [, labels = '', value = ''] of body.matchAll(/^apiserver_request_total\{([^}]*)\} (\S+)$/gm)) {
    const label = (name: string): string => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? ''
    if (!resources.has(label('resource'))) continue
    const verb = label('dry_run') === '' ? label('verb') : `${label('verb')} (dry run)`
    counts.set(verb, (counts.get(verb) ?? 0) + Number(value))
  }
  return counts
}

/** What came on top between two counts, without what did not change. */
export function differenceOf(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): Record<string, number> {
  const entries = [...after].map(([verb, count]) => [verb, count - (before.get(verb) ?? 0)] as const)
  return Object.fromEntries(entries.filter(([, count]) => count !== 0))
}
