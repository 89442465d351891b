import type {Cluster} from '#shared/model/app.ts'
import {RenderError} from './render-error.ts'

/**
 * Replaces `${cluster.name}` and `${cluster.labels.KEY}` in a path. Throws `RenderError` UNDEFINED_VARIABLE for anything else in
 * `${…}`, and PATH_LEAVES_REPOSITORY for a value that would be more than one part of a path.
 */
export function expandPath(path: string, cluster: Cluster): string {
  return path.replace(/\$\{([^}]*)\}/g, (whole, expression: string) => {
    const value = lookUp(expression, cluster)
    if (value === undefined || value === '') {
      const known = [
        'cluster.name',
        ...Object.keys(cluster.metadata.labels ?? {}).map((key) => `cluster.labels.${key}`),
      ]
      throw new RenderError(
        'UNDEFINED_VARIABLE',
        `${whole} in ${JSON.stringify(path)} is not defined for cluster ${cluster.metadata.name}, which has ${known.join(', ')}`,
      )
    }
    if (value.includes('/') || value === '..' || value === '.') {
      throw new RenderError(
        'PATH_LEAVES_REPOSITORY',
        `${whole} in ${JSON.stringify(path)} is ${JSON.stringify(value)}, which is no name of a folder`,
      )
    }
    return value
  })
}

function lookUp(expression: string, cluster: Cluster): string | undefined {
  if (expression === 'cluster.name') return cluster.metadata.name
  const key = expression.startsWith('cluster.labels.') ? expression.slice('cluster.labels.'.length) : undefined
  if (key === undefined) return undefined
  const labels = cluster.metadata.labels ?? {}
  return Object.hasOwn(labels, key) ? labels[key] : undefined
}
