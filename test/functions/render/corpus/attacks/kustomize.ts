import {type Aims, type Attack, ownMap} from './attack.ts'

/** One field of a kustomization that names a file or a folder. `use` is what of the outside works there. */
interface Field {
  name: string
  use: 'file' | 'text' | 'env' | 'schema' | 'base' | 'component' | 'generator'
  content: (path: string) => string
}

const builtin = (kind: string, lines: string): string =>
  `- |-\n  apiVersion: builtin\n  kind: ${kind}\n  metadata:\n    name: g\n${lines.replace(/^/gm, '  ')}\n`

const fields: readonly Field[] = [
  {name: 'resources', use: 'file', content: (path) => `resources: [a.yaml, ${path}]\n`},
  {name: 'Resources, in another case', use: 'file', content: (path) => `Resources: [a.yaml, ${path}]\n`},
  {name: 'resources as a folder', use: 'base', content: (path) => `resources: [${path}]\n`},
  {name: 'bases', use: 'base', content: (path) => `resources: [a.yaml]\nbases: [${path}]\n`},
  {name: 'BASES, in another case', use: 'base', content: (path) => `resources: [a.yaml]\nBASES: [${path}]\n`},
  {name: 'components', use: 'component', content: (path) => `resources: [a.yaml]\ncomponents: [${path}]\n`},
  {name: 'crds', use: 'schema', content: (path) => `resources: [a.yaml]\ncrds: [${path}]\n`},
  {name: 'configurations', use: 'file', content: (path) => `resources: [a.yaml]\nconfigurations: [${path}]\n`},
  {name: 'openapi', use: 'schema', content: (path) => `resources: [a.yaml]\nopenapi: {path: ${path}}\n`},
  {
    name: 'OpenAPI, in another case',
    use: 'schema',
    content: (path) => `resources: [a.yaml]\nOpenAPI: {Path: ${path}}\n`,
  },
  {name: 'generators', use: 'generator', content: (path) => `generators: [${path}]\n`},
  {name: 'transformers', use: 'file', content: (path) => `resources: [a.yaml]\ntransformers: [${path}]\n`},
  {name: 'validators', use: 'file', content: (path) => `resources: [a.yaml]\nvalidators: [${path}]\n`},
  {
    name: 'patches',
    use: 'file',
    content: (path) => `resources: [a.yaml]\npatches: [{path: ${path}, target: {kind: ConfigMap}}]\n`,
  },
  {
    name: 'patchesStrategicMerge',
    use: 'file',
    content: (path) => `resources: [a.yaml]\npatchesStrategicMerge: [${path}]\n`,
  },
  {
    name: 'patchesJson6902',
    use: 'file',
    content: (path) =>
      `resources: [a.yaml]\npatchesJson6902: [{target: {version: v1, kind: ConfigMap, name: own}, path: ${path}}]\n`,
  },
  {name: 'replacements', use: 'file', content: (path) => `resources: [a.yaml]\nreplacements: [{path: ${path}}]\n`},
  {
    name: 'configMapGenerator files',
    use: 'text',
    content: (path) => `configMapGenerator: [{name: g, files: [${path}]}]\n`,
  },
  {
    name: 'configMapGenerator files with a key',
    use: 'text',
    content: (path) => `configMapGenerator: [{name: g, files: ["k=${path.replaceAll('"', '')}"]}]\n`,
  },
  {
    name: 'configmapgenerator Files, in other cases',
    use: 'text',
    content: (path) => `configmapgenerator: [{Name: g, Files: [${path}]}]\n`,
  },
  {
    name: 'configMapGenerator envs',
    use: 'env',
    content: (path) => `configMapGenerator: [{name: g, envs: [${path}]}]\n`,
  },
  {name: 'configMapGenerator env', use: 'env', content: (path) => `configMapGenerator: [{name: g, env: ${path}}]\n`},
  {name: 'secretGenerator files', use: 'text', content: (path) => `secretGenerator: [{name: g, files: [${path}]}]\n`},
  {
    name: 'an inline ConfigMapGenerator',
    use: 'text',
    content: (path) => `generators:\n${builtin('ConfigMapGenerator', `files: [${path}]`)}`,
  },
  {
    name: 'an inline SecretGenerator',
    use: 'env',
    content: (path) => `generators:\n${builtin('SecretGenerator', `envs: [${path}]`)}`,
  },
  {
    name: 'an inline PatchTransformer',
    use: 'file',
    content: (path) =>
      `resources: [a.yaml]\ntransformers:\n${builtin('PatchTransformer', `path: ${path}\ntarget: {kind: ConfigMap}`)}`,
  },
  {
    name: 'an inline PatchStrategicMergeTransformer',
    use: 'file',
    content: (path) =>
      `resources: [a.yaml]\ntransformers:\n${builtin('PatchStrategicMergeTransformer', `paths: [${path}]`)}`,
  },
  {
    name: 'an inline PatchJson6902Transformer',
    use: 'file',
    content: (path) =>
      `resources: [a.yaml]\ntransformers:\n${builtin('PatchJson6902Transformer', `path: ${path}\ntarget: {version: v1, kind: ConfigMap, name: own}`)}`,
  },
  {
    name: 'an inline ReplacementTransformer',
    use: 'file',
    content: (path) =>
      `resources: [a.yaml]\ntransformers:\n${builtin('ReplacementTransformer', `replacements: [{path: ${path}}]`)}`,
  },
]

const uses: Readonly<Record<Field['use'], string>> = {
  file: 'secret.yaml',
  text: 'secret.txt',
  env: 'secret.env',
  schema: 'schema.json',
  base: 'base',
  component: 'component',
  generator: 'generator',
}

/** The many ways to write a place outside. A link is a symbolic link in the app's folder. */
const places: readonly {name: string; at: (aims: Aims, file: string) => string; link?: true}[] = [
  {name: 'a URL', at: ({url}, file) => `${url}/${file}`},
  {name: 'a URL that is YAML too', at: ({url}, file) => `"${url}/${file}#x: y"`},
  {name: 'a URL of a repository', at: ({url}) => `${url}/owner/repo//base?ref=main&timeout=2s`},
  {name: 'git:: and a URL', at: ({url}) => `"git::${url}/owner/repo.git//base?timeout=2s"`},
  {name: 'an ssh address', at: ({url}) => `"ssh://git@${new URL(url).host}/owner/repo?timeout=2s"`},
  {name: 'a repository on GitHub', at: () => '"github.com/owner/repo//base?ref=v1&timeout=1s"'},
  {name: 'an ssh address of GitHub', at: () => '"git@github.com:owner/repo.git?timeout=1s"'},
  {name: 'a file URL', at: ({outside}, file) => `"file://${outside}/${file}"`},
  {name: 'an absolute path', at: ({outside}, file) => `${outside}/${file}`},
  {name: 'a climbing path', at: ({outside}, file) => `"${'../'.repeat(12)}${outside.slice(1)}/${file}"`},
  {
    name: 'an encoded climbing path',
    at: ({outside}, file) => `"${'%2e%2e%2f'.repeat(12)}${outside.slice(1).replaceAll('/', '%2F')}%2F${file}"`,
  },
  {
    name: 'a path with a folder of its own before it',
    at: ({outside}, file) => `"sub/../${'../'.repeat(12)}${outside.slice(1)}/${file}"`,
  },
  {name: 'an absolute symbolic link', link: true, at: ({outside}, file) => `${outside}/${file}`},
  {
    name: 'a climbing symbolic link',
    link: true,
    at: ({outside}, file) => `${'../'.repeat(12)}${outside.slice(1)}/${file}`,
  },
  {name: 'a symbolic link to the environment', link: true, at: () => '/proc/self/environ'},
  {name: 'the environment', at: () => '/proc/self/environ'},
  {name: 'the root of the process', at: ({outside}, file) => `/proc/self/root${outside}/${file}`},
  {name: 'a drive', at: ({outside}, file) => `'C:${outside.replaceAll('/', '\\')}\\${file}'`},
  {name: 'a UNC path', at: ({url}, file) => `'\\\\${new URL(url).hostname}@${new URL(url).port}\\share\\${file}'`},
  {name: 'a path with two slashes', at: ({url, outside}, file) => `"//${new URL(url).host}${outside}/${file}"`},
]

/** Every field that names a file or a folder, by every way to write a place outside. */
export function attackKustomize(aims: Aims): Attack[] {
  return fields.flatMap((field) =>
    places.map((place) => {
      const target = place.at(aims, uses[field.use])
      const path = place.link === true ? 'link' : target
      const files: Record<string, string | {link: string}> = {
        'app/kustomization.yaml': field.content(path),
        'app/a.yaml': ownMap,
        'app/sub/empty.txt': '',
      }
      if (place.link === true) files['app/link'] = {link: target}
      return {name: `kustomize, ${field.name}: ${place.name}`, renderer: 'kustomize' as const, files, path: 'app'}
    }),
  )
}

/** What would run or fetch something else. */
export function attackPlugins({url, outside, variable}: Aims): Attack[] {
  const helmChart = `name: chart, releaseName: r, valuesFile: ${outside}/secret.yaml`
  const func = (words: string): string =>
    `- |-\n  apiVersion: example.com/v1\n  kind: Any\n  metadata:\n    name: f\n    annotations:\n      config.kubernetes.io/function: |\n${words.replace(/^/gm, '        ')}\n`
  const contents: readonly [string, string][] = [
    ['helmCharts of a repository', `helmCharts: [{name: chart, repo: "${url}", version: 1.0.0, releaseName: r}]\n`],
    ['helmCharts of a folder outside', `helmGlobals: {chartHome: ${outside}}\nhelmCharts: [{${helmChart}}]\n`],
    ['HELMCHARTS, in another case', `HelmGlobals: {ChartHome: ${outside}}\nHELMCHARTS: [{${helmChart}}]\n`],
    [
      'helmChartInflationGenerator',
      `helmChartInflationGenerator: [{chartName: chart, chartHome: ${outside}, chartRepoUrl: "${url}"}]\n`,
    ],
    [
      'an inline HelmChartInflationGenerator',
      `generators:\n${builtin('HelmChartInflationGenerator', `name: chart\nchartHome: ${outside}\nrepo: "${url}"`)}`,
    ],
    [
      'a function that runs a program',
      `transformers:\n${func(`exec:\n  path: /bin/sh\n  args: ["-c", "cat ${outside}/secret.txt"]`)}`,
    ],
    [
      'a function in a container',
      `generators:\n${func(`container:\n  image: ${new URL(url).host}/image\n  network: true`)}`,
    ],
    ['a function in Starlark', `transformers:\n${func(`starlark:\n  url: ${url}/f.star`)}`],
    [
      'a plugin of the old kind',
      `generators:\n- |-\n  apiVersion: someteam.example.com/v1\n  kind: SecretsFromDatabase\n  metadata: {name: p}\n`,
    ],
    ['an env file without values', 'configMapGenerator: [{name: g, envs: [own.env]}]\n'],
    [
      'variables in literals',
      `configMapGenerator: [{name: g, literals: ["a=\${${variable}}", "b=$(${variable})", "c=$${variable}"]}]\n`,
    ],
    ['a reference of a schema', 'resources: [a.yaml]\nopenapi: {path: own.json}\n'],
    ['references of a definition', 'resources: [a.yaml]\ncrds: [own.json]\n'],
  ]
  return contents.map(([name, content]) => ({
    name: `kustomize, ${name}`,
    renderer: 'kustomize' as const,
    path: 'app',
    files: {
      'app/kustomization.yaml': content,
      'app/a.yaml': ownMap,
      'app/own.env': `${variable}\n`,
      'app/own.json': JSON.stringify({
        definitions: {a: {$ref: `${url}/schema.json#/a`}, b: {$ref: `file://${outside}/schema.json`}},
        'com.example.v1.A': {Schema: {properties: {a: {$ref: `${url}/schema.json`}}}},
      }),
    },
  }))
}
