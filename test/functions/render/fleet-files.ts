/** Documents of a drawbridge.yaml and manifests, as tests put them together. */
export const cluster = (name: string, labels = '{}', spec = '{}'): string =>
  `apiVersion: drawbridge.dev/v1alpha1\nkind: Cluster\nmetadata: {name: ${name}, labels: ${labels}}\nspec: ${spec}\n---\n`

export const app = (name: string, spec = '{source: {path: app}, clusters: [dev]}', metadata = ''): string =>
  `apiVersion: drawbridge.dev/v1alpha1\nkind: App\nmetadata: {name: ${name}${metadata}}\nspec: ${spec}\n---\n`

export const configMap = (name: string, value = 'v'): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {value: "${value}"}\n`

/** A drawbridge.yaml with one cluster and one app at `app/`. */
export const oneApp: string = cluster('dev') + app('shop')
