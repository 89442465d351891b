/** How far the agent's own rights go. `platform`: anything. `tenant`: what the ServiceAccounts that apps name may do. */
export const INSTALL_PROFILES = ['platform', 'tenant'] as const
export type InstallProfile = (typeof INSTALL_PROFILES)[number]

/** Everything that an installation of the agent in one cluster is made from. */
export interface AgentInstall {
  profile: InstallProfile
  /** The cluster's name, as drawbridge.yaml says it. */
  cluster: string
  region: string
  bucket: string
  queueUrl: string
  statusQueueUrl: string
  /** Text of the trust root's file, as `drawbridge keys trust-root` prints it. */
  trustRoot: string
  namespace: string
  image: string
  /** As `eks.amazonaws.com/role-arn`, for IRSA. */
  serviceAccountAnnotations: Readonly<Record<string, string>>
  /** ServiceAccounts that the tenant profile may apply as: `NAMESPACE/NAME`, or `NAME` for one of that name in whatever namespace has it. */
  impersonate: readonly string[]
  /** Kinds that the tenant profile follows besides the built-in ones: `RESOURCE`, `RESOURCE.GROUP` or `*.GROUP`. */
  watch: readonly string[]
  /** The one namespace that may reach the endpoints; all of the cluster's where absent. */
  metricsFrom?: string
  /** Where the API server listens besides 443, once its Service's address is translated. */
  apiServerPort: number
  /** A Secret whose keys become environment variables: AWS credentials where the cluster has no identity of its own. */
  credentialsSecret?: string
  /** Further environment variables of the agent. */
  env: Readonly<Record<string, string>>
}

/** The name of everything that there is one of. */
export const AGENT_NAME = 'drawbridge-agent'

/** The ServiceAccount that a namespace makes to let apps be applied into it, where nothing else is said. */
export const APP_SERVICE_ACCOUNT = 'drawbridge-deployer'

/** Where the agent serves /metrics, /healthz and /readyz, and the name of that port. */
export const ENDPOINTS_PORT = 8080
export const ENDPOINTS_PORT_NAME = 'metrics'

/**
 * Memory of the container in MiB, and of V8's old space in it. What is left is for young objects (3 MiB as the image starts Node), code
 * and buffers.
 */
export const MEMORY = {requestMebibytes: 128, limitMebibytes: 448, oldSpaceMebibytes: 256} as const

/** Labels of every object of the installation. */
export const INSTALL_LABELS = {
  'app.kubernetes.io/name': AGENT_NAME,
  'app.kubernetes.io/part-of': 'drawbridge',
} as const
