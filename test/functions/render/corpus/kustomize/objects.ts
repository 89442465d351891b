import {type CorpusCase, text} from '../corpus-case.ts'

/** A case of one kustomization at the root and the files beside it. */
export function kustomization(
  name: string,
  content: string,
  files: CorpusCase['files'] = {},
  more: Partial<CorpusCase> = {},
): CorpusCase {
  return {name, files: {'kustomization.yaml': content, ...files}, ...more}
}

export function deployment(name: string, image = 'nginx:1.25'): string {
  return text`
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: ${name}
      labels:
        app: ${name}
    spec:
      replicas: 1
      selector:
        matchLabels:
          app: ${name}
      template:
        metadata:
          labels:
            app: ${name}
        spec:
          containers:
            - name: main
              image: ${image}
              args: ["--listen", ":80"]
              env:
                - name: MODE
                  value: plain
              ports:
                - name: http
                  containerPort: 80
            - name: side
              image: registry.example.com:5000/team/side:v1@sha256:2222222222222222222222222222222222222222222222222222222222222222
    `
}

export function service(name: string, namespace?: string): string {
  return text`
    apiVersion: v1
    kind: Service
    metadata:
      name: ${name}${namespace === undefined ? '' : `\n  namespace: ${namespace}`}
    spec:
      selector:
        app: ${name}
      ports:
        - name: http
          port: 80
          targetPort: http
    `
}

export function configMap(name: string, data: Readonly<Record<string, string>> = {key: 'value'}): string {
  const lines = Object.entries(data).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}\n`)
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n${lines.join('')}`
}

/** An object of any kind that names itself and nothing more. */
export function bare(apiVersion: string, kind: string, name: string, rest = ''): string {
  return `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata:\n  name: ${name}\n${rest}`
}

/** A pod spec's references to others: all kinds that kustomize renames with what they name. */
export function referring(name: string): string {
  return text`
    apiVersion: apps/v1
    kind: StatefulSet
    metadata:
      name: ${name}
    spec:
      serviceName: headless
      selector:
        matchLabels:
          app: ${name}
      template:
        metadata:
          labels:
            app: ${name}
        spec:
          serviceAccountName: runner
          priorityClassName: high
          imagePullSecrets:
            - name: pull
          initContainers:
            - name: init
              image: busybox:1.36
              envFrom:
                - configMapRef:
                    name: settings
                - secretRef:
                    name: secrets
          containers:
            - name: main
              image: nginx
              env:
                - name: A
                  valueFrom:
                    configMapKeyRef:
                      name: settings
                      key: a
                - name: B
                  valueFrom:
                    secretKeyRef:
                      name: secrets
                      key: b
          volumes:
            - name: one
              configMap:
                name: settings
            - name: two
              secret:
                secretName: secrets
            - name: three
              projected:
                sources:
                  - configMap:
                      name: settings
                  - secret:
                      name: secrets
            - name: four
              persistentVolumeClaim:
                claimName: data
    `
}
