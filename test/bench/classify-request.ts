const ownState: readonly (readonly [prefix: string, name: string])[] = [
  ['drawbridge-inventory-', 'inventory'],
  ['drawbridge-accepted', 'accepted version'],
  ['drawbridge-healthy-', 'healthy bundle'],
]

/**
 * Names a request by what it does and to what: `apply configmaps`, `dry run deployments`, `watch configmaps`, `apply inventory`; those that
 * do not go to an API server are `s3 GET` or `sqs POST`.
 */
export function classifyRequest(method: string, path: string): string {
  const {pathname, searchParams} = new URL(path, 'http://any')
  const parts = pathname.split('/').filter((part) => part !== '')
  const rest = parts[0] === 'api' ? parts.slice(2) : parts[0] === 'apis' ? parts.slice(3) : undefined
  if (rest === undefined) {
    if (['/version', '/readyz', '/apis'].includes(pathname)) return 'discover'
    return `${pathname === '/' ? 'sqs' : 's3'} ${method}`
  }
  const scoped = rest[0] === 'namespaces' && rest.length > 2 ? rest.slice(2) : rest
  const [resource, name, subresource] = scoped
  if (resource === undefined) return 'discover'
  const own = ownState.find(([prefix]) => name?.startsWith(prefix))?.[1]
  const what = own ?? `${resource}${subresource === undefined ? '' : `/${subresource}`}`
  return `${verbOf(method, name, searchParams)} ${what}`
}

function verbOf(method: string, name: string | undefined, query: URLSearchParams): string {
  if (query.get('watch') !== null) return 'watch'
  if (query.get('dryRun') !== null) return 'dry run'
  if (method === 'GET') return name === undefined ? 'list' : 'get'
  return {PATCH: 'apply', POST: 'create', PUT: 'replace', DELETE: 'delete'}[method] ?? method
}
