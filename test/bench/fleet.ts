import type {JsonObject} from '#shared/model/manifest.ts'

/** The drawbridge.yaml of the benchmark: three apps of different sizes in one cluster. */
export const fleetConfig = ['small', 'large', 'huge']
  .map(
    (name) => `apiVersion: drawbridge.dev/v1alpha1
kind: App
metadata: {name: ${name}}
spec:
  source: {path: ${name}}
  clusters: [bench]
  namespace: ${name}
  createNamespace: true
`,
  )
  .concat('apiVersion: drawbridge.dev/v1alpha1\nkind: Cluster\nmetadata: {name: bench}\n')
  .join('---\n')

/** A ConfigMap as people have them. */
export function configMap(name: string, value: string, namespace?: string): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {name, ...(namespace !== undefined && {namespace})},
    data: {value, 'app.properties': 'log.level=info\ncache.size=64\n'},
  }
}

/** A Deployment with as many replicas as asked for. */
export function deployment(name: string, replicas: number, namespace?: string): JsonObject {
  const labels = {app: name}
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {name, labels, ...(namespace !== undefined && {namespace})},
    spec: {
      replicas,
      selector: {matchLabels: labels},
      template: {
        metadata: {labels},
        spec: {
          containers: [
            {
              name: 'main',
              image: 'registry.example/main:1',
              ports: [{containerPort: 8080}],
              resources: {requests: {cpu: '10m', memory: '16Mi'}},
            },
          ],
        },
      },
    },
  }
}

/** The small app: 10 objects, of which two Deployments have a pod each. `value` is what a push changes. */
export function smallApp(value: string): JsonObject[] {
  return [
    configMap('changing', value),
    ...Array.from({length: 7}, (_, i) => configMap(`settings-${i}`, 'constant')),
    deployment('front', 1),
    deployment('back', 1),
  ]
}

export interface LargeAppOptions {
  namespace?: string
  /** What the first ConfigMap holds. @default '0' */
  first?: string
}

/** So many objects: of five, four are ConfigMaps and one is a Deployment without replicas. Fewer are the first of more. */
export function largeApp(objects: number, {namespace, first = '0'}: LargeAppOptions = {}): JsonObject[] {
  return Array.from({length: objects}, (_, i) =>
    i % 5 === 4
      ? deployment(`deployment-${i}`, 0, namespace)
      : configMap(`config-${i}`, i === 0 ? first : String(i), namespace),
  )
}

/** Objects as one file of YAML documents (JSON is YAML). */
export function asFile(objects: readonly JsonObject[]): string {
  return objects.map((object) => `${JSON.stringify(object)}\n`).join('---\n')
}
