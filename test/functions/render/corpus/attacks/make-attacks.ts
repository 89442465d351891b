import {type Aims, type Attack, ownMap} from './attack.ts'
import {attackArchives, attackCharts, attackSchemas, attackTemplates} from './helm.ts'
import {attackKustomize, attackPlugins} from './kustomize.ts'

function attackManifests({url, outside, variable}: Aims): Attack[] {
  const files: readonly [string, Record<string, string | {link: string}>][] = [
    ['a link to a file', {'b.yaml': {link: `${outside}/secret.yaml`}}],
    ['a link to a folder', {b: {link: `${outside}/base`}}],
    ['a link that climbs', {'b.yaml': {link: `${'../'.repeat(12)}${outside.slice(1)}/secret.yaml`}}],
    ['a link to the environment', {'b.yaml': {link: '/proc/self/environ'}}],
    ['a link by a link', {c: {link: outside}, 'b.yaml': {link: 'c/secret.yaml'}}],
    [
      'tags that include',
      {
        'b.yaml': `${ownMap}  x: !include ${outside}/secret.txt\n  y: !!python/object/apply:os.system ["cat ${outside}/secret.txt"]\n  z: !env ${variable}\n`,
      },
    ],
    [
      'a reference in JSON',
      {
        'b.json': JSON.stringify({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: {name: 'b'},
          data: {$ref: `${url}/schema.json`},
        }),
      },
    ],
    [
      'variables',
      {'b.yaml': `${ownMap}  x: \${${variable}}\n  y: $(${variable})\n  z: "{{ env \\"${variable}\\" }}"\n`},
    ],
    ['an ignore file that is a link', {'.drawbridgeignore': {link: `${outside}/secret.txt`}}],
    [
      'a List with a URL',
      {'b.yaml': `apiVersion: v1\nkind: List\nitems: []\nmetadata: {continue: "${url}/secret.yaml"}\n`},
    ],
  ]
  return files.map(([name, more]) => ({
    name: `yaml, ${name}`,
    renderer: 'yaml' as const,
    path: 'app',
    files: Object.fromEntries([
      ['app/a.yaml', ownMap],
      ...Object.entries(more).map(([path, content]) => [`app/${path}`, content]),
    ]),
  }))
}

/** All attacks: every way to name a file or a folder, by every way to write a place outside. */
export function makeAttacks(aims: Aims): Attack[] {
  return [
    ...attackKustomize(aims),
    ...attackPlugins(aims),
    ...attackSchemas(aims),
    ...attackTemplates(aims),
    ...attackCharts(aims),
    ...attackArchives(aims),
    ...attackManifests(aims),
  ]
}
