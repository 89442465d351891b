import type {App, Cluster} from '#shared/model/app.ts'

/** The clusters that an app targets, in the order of their declaration. */
export function selectClusters(app: App, clusters: readonly Cluster[]): Cluster[] {
  const {clusters: wanted} = app.spec
  if (Array.isArray(wanted)) return clusters.filter((cluster) => wanted.includes(cluster.metadata.name))
  const labels = Object.entries(wanted.matchLabels)
  return clusters.filter((cluster) => labels.every(([key, value]) => cluster.metadata.labels?.[key] === value))
}
