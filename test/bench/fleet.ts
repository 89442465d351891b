import type {JsonObject} from '#shared/model/manifest.ts'

/** The drawbridge.yaml of the benchmark: one small app and one large one, in one cluster. */
export const config = ['small', 'large']
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

/** The large app: 800 ConfigMaps and 200 Deployments without replicas. */
export function largeApp(namespace?: string): JsonObject[] {
  return [
    ...Array.from({length: 800}, (_, i) => configMap(`config-${i}`, String(i), namespace)),
    ...Array.from({length: 200}, (_, i) => deployment(`deployment-${i}`, 0, namespace)),
  ]
}

/** Objects as one file of YAML documents (JSON is YAML). */
export function asFile(objects: readonly JsonObject[]): string {
  return objects.map((object) => `${JSON.stringify(object)}\n`).join('---\n')
}
