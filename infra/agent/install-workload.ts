import type {JsonObject, Manifest} from '#shared/model/manifest.ts'
import {
  AGENT_NAME,
  type AgentInstall,
  ENDPOINTS_PORT,
  ENDPOINTS_PORT_NAME,
  INSTALL_LABELS,
  MEMORY,
} from './agent-install.ts'

const TRUST_ROOT_FOLDER = '/etc/drawbridge'
const CACHE_FOLDER = '/var/cache/drawbridge'
/** Twice of what the agent keeps at most: beyond it the pod would be evicted. */
const CACHE_LIMIT = '256Mi'
export const TRUST_ROOT_FILE = 'trust-root.json'

/** The user of the distroless images' `nonroot`. */
const NON_ROOT = 65_532

/** Names that the Deployment sets itself, or that must not be set in a pod. */
export const RESERVED_ENV = [
  'CLUSTER_NAME',
  'AWS_REGION',
  'BUCKET',
  'QUEUE_URL',
  'STATUS_QUEUE_URL',
  'TRUST_ROOT_FILE',
  'AGENT_NAMESPACE',
  'METRICS_PORT',
  'CACHE_DIR',
  'NODE_OPTIONS',
  'METRICS_HOST',
  'KUBECONFIG',
] as const

/** What a Prometheus goes by that finds pods by their annotations. */
const scrapeAnnotations = {
  'prometheus.io/scrape': 'true',
  'prometheus.io/port': String(ENDPOINTS_PORT),
  'prometheus.io/path': '/metrics',
}

/** Makes the Deployment. One pod works and the Lease says which, so two may overlap while one takes the other's place. */
export function installDeployment(install: AgentInstall, trustRootName: string): Manifest {
  const selector = {'app.kubernetes.io/name': AGENT_NAME}
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {name: AGENT_NAME, namespace: install.namespace, labels: {...INSTALL_LABELS}},
    spec: {
      replicas: 1,
      revisionHistoryLimit: 3,
      // The old pod goes once the new one has stayed up: a version that cannot start never takes the place of one that runs.
      minReadySeconds: 10,
      strategy: {type: 'RollingUpdate', rollingUpdate: {maxSurge: 1, maxUnavailable: 0}},
      selector: {matchLabels: selector},
      template: {
        metadata: {labels: {...INSTALL_LABELS}, annotations: {...scrapeAnnotations}},
        spec: podSpec(install, trustRootName),
      },
    },
  }
}

function podSpec(install: AgentInstall, trustRootName: string): JsonObject {
  return {
    serviceAccountName: AGENT_NAME,
    automountServiceAccountToken: true,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 15,
    nodeSelector: {'kubernetes.io/os': 'linux'},
    securityContext: {
      runAsNonRoot: true,
      runAsUser: NON_ROOT,
      runAsGroup: NON_ROOT,
      fsGroup: NON_ROOT,
      seccompProfile: {type: 'RuntimeDefault'},
    },
    containers: [
      {
        name: 'agent',
        image: install.image,
        env: environment(install),
        ...(install.credentialsSecret === undefined ? {} : {envFrom: [{secretRef: {name: install.credentialsSecret}}]}),
        ports: [{name: ENDPOINTS_PORT_NAME, containerPort: ENDPOINTS_PORT, protocol: 'TCP'}],
        // An agent that stands by is ready, or no rollout would end; what cannot reach its cluster is not, and is not killed for it.
        readinessProbe: {...probe('/readyz'), periodSeconds: 5, timeoutSeconds: 2, failureThreshold: 3},
        // Only a process that answers nothing for a minute is killed: it serves within seconds, so there is no startupProbe.
        livenessProbe: {...probe('/healthz'), periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6},
        // No CPU limit: being throttled would make it lose its Lease when there is most to do.
        resources: {
          requests: {cpu: '50m', memory: `${MEMORY.requestMebibytes}Mi`},
          limits: {memory: `${MEMORY.limitMebibytes}Mi`},
        },
        securityContext: {
          allowPrivilegeEscalation: false,
          privileged: false,
          readOnlyRootFilesystem: true,
          runAsNonRoot: true,
          capabilities: {drop: ['ALL']},
        },
        volumeMounts: [
          {name: 'trust-root', mountPath: TRUST_ROOT_FOLDER, readOnly: true},
          {name: 'bundles', mountPath: CACHE_FOLDER},
        ],
      },
    ],
    // Copies of bundles, for a container that starts again without the object store.
    volumes: [
      {name: 'trust-root', configMap: {name: trustRootName}},
      {name: 'bundles', emptyDir: {sizeLimit: CACHE_LIMIT}},
    ],
  }
}

function probe(path: string): JsonObject {
  return {httpGet: {path, port: ENDPOINTS_PORT_NAME}}
}

function environment(install: AgentInstall): JsonObject[] {
  const set: Record<Exclude<(typeof RESERVED_ENV)[number], 'METRICS_HOST' | 'KUBECONFIG'>, string> = {
    CLUSTER_NAME: install.cluster,
    AWS_REGION: install.region,
    BUCKET: install.bucket,
    QUEUE_URL: install.queueUrl,
    STATUS_QUEUE_URL: install.statusQueueUrl,
    TRUST_ROOT_FILE: `${TRUST_ROOT_FOLDER}/${TRUST_ROOT_FILE}`,
    AGENT_NAMESPACE: install.namespace,
    METRICS_PORT: String(ENDPOINTS_PORT),
    CACHE_DIR: `${CACHE_FOLDER}/bundles`,
    NODE_OPTIONS: `--max-old-space-size=${MEMORY.oldSpaceMebibytes}`,
  }
  const further = Object.entries(install.env).sort(([one], [other]) => (one < other ? -1 : 1))
  return [...Object.entries(set), ...further].map(([name, value]) => ({name, value}))
}
