import {join} from 'node:path'

/** Loopback ports of one cluster. */
export interface ClusterPorts {
  apiServer: number
  etcd: number
  etcdPeer: number
}

/** Where one cluster keeps its certificates and data. */
export interface ClusterFiles {
  certs: string
  etcdData: string
}

// One shared machine, thrown away at will: no fsync, and no room for more than a test's objects.
const etcdQuotaBytes = 2 * 1024 ** 3

/** Flags of a single-member etcd that only the API server's certificate may use. */
export function etcdFlags({certs, etcdData}: ClusterFiles, ports: ClusterPorts): string[] {
  const client = `https://127.0.0.1:${ports.etcd}`
  const peer = `https://127.0.0.1:${ports.etcdPeer}`
  const tls = (prefix: string) => [
    `--${prefix}cert-file=${join(certs, 'etcd.crt')}`,
    `--${prefix}key-file=${join(certs, 'etcd.key')}`,
    `--${prefix}trusted-ca-file=${join(certs, 'etcd-ca.crt')}`,
    `--${prefix}client-cert-auth=true`,
  ]
  return [
    '--name=local',
    `--data-dir=${etcdData}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=local=${peer}`,
    // The peer port may be another at the next start, and a single member's own address does not matter to it.
    '--strict-reconfig-check=false',
    ...tls(''),
    ...tls('peer-'),
    '--unsafe-no-fsync',
    // A member alone elects itself after this; the default is 1000.
    '--heartbeat-interval=10',
    '--election-timeout=100',
    `--quota-backend-bytes=${etcdQuotaBytes}`,
    '--auto-compaction-mode=periodic',
    '--auto-compaction-retention=5m',
    '--log-level=warn',
  ]
}

/** Flags of an API server with the default admission, RBAC on, reachable on loopback only. */
export function apiServerFlags({certs}: ClusterFiles, ports: ClusterPorts): string[] {
  return [
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${ports.apiServer}`,
    `--tls-cert-file=${join(certs, 'apiserver.crt')}`,
    `--tls-private-key-file=${join(certs, 'apiserver.key')}`,
    `--client-ca-file=${join(certs, 'ca.crt')}`,
    `--etcd-servers=https://127.0.0.1:${ports.etcd}`,
    `--etcd-cafile=${join(certs, 'etcd-ca.crt')}`,
    `--etcd-certfile=${join(certs, 'apiserver-etcd-client.crt')}`,
    `--etcd-keyfile=${join(certs, 'apiserver-etcd-client.key')}`,
    '--authorization-mode=Node,RBAC',
    '--service-cluster-ip-range=10.96.0.0/16',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${join(certs, 'service-accounts.crt')}`,
    `--service-account-signing-key-file=${join(certs, 'service-accounts.key')}`,
    // Endpoints may not be loopback addresses, so the server cannot enter its own.
    '--endpoint-reconciler-type=none',
    '--profiling=false',
  ]
}

/** Flags of a controller manager that runs each controller as its own service account. */
export function controllerManagerFlags({certs}: ClusterFiles, kubeconfig: string): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    '--secure-port=0',
    '--leader-elect=false',
    '--use-service-account-credentials=true',
    `--service-account-private-key-file=${join(certs, 'service-accounts.key')}`,
    `--root-ca-file=${join(certs, 'ca.crt')}`,
    '--kube-api-qps=500',
    '--kube-api-burst=1000',
    '--profiling=false',
    // The simulated node tells of itself every now and then only; a real node that is silent for 40 s has died, this one has not.
    '--node-monitor-grace-period=24h',
  ]
}

/** Flags of a scheduler for one cluster alone. */
export function schedulerFlags(kubeconfig: string): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    '--secure-port=0',
    '--leader-elect=false',
    '--kube-api-qps=500',
    '--kube-api-burst=1000',
    '--profiling=false',
  ]
}

/** Flags of the node simulator, which serves nothing itself. */
export function kwokFlags(kubeconfig: string): string[] {
  return [`--kubeconfig=${kubeconfig}`, '--manage-all-nodes=true', '--node-port=0']
}
