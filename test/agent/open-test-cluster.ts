import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {createKubeClient} from '#agent/kube/create-kube-client.ts'
import type {KubeClient} from '#agent/kube/kube-client.ts'
import {loadKubeconfigEndpoint} from '#agent/kube/load-endpoint.ts'
import {createTransport, type KubeTransport} from '#agent/kube/send-request.ts'
import {findControlPlane} from '#infra/local/find-control-plane.ts'
import {type LocalCluster, startCluster} from '#infra/local/start-cluster.ts'

/** A real control plane, and a client that is not the agent's. */
export interface TestCluster {
  /** The administrator's. */
  readonly kubeconfigFile: string
  readonly admin: KubeClient
  /** The administrator's connection, for what no client of the agent's asks. */
  readonly transport: KubeTransport
  stop(): Promise<void>
}

/** A control plane that is one test file's own: it may be stopped, and what is left in it is nobody else's concern. */
export interface OwnTestCluster extends TestCluster {
  readonly cluster: LocalCluster
}

/** Names the kubeconfig of a control plane without controllers that the test run has started for many files. */
export const SHARED_CLUSTER_VARIABLE = 'DRAWBRIDGE_TEST_KUBECONFIG'

/**
 * Opens the control plane that test files share, since starting one takes seconds; an own one where a file is run by itself. Each
 * test uses namespaces and cluster-wide names that no other has, and leaves no webhook behind.
 */
export async function openTestCluster(): Promise<TestCluster> {
  const kubeconfigFile = process.env[SHARED_CLUSTER_VARIABLE]
  if (kubeconfigFile === undefined) return startTestCluster()
  const transport = createTransport(await loadKubeconfigEndpoint(kubeconfigFile))
  return {kubeconfigFile, admin: createKubeClient(transport), transport, stop: async () => transport.close()}
}

/** Starts a control plane of one's own. */
export async function startTestCluster(
  components: {controllerManager?: boolean; scheduler?: boolean; kwok?: boolean} = {},
  extraApiServerArgs: string[] = [],
): Promise<OwnTestCluster> {
  const stateDir = await mkdtemp(join(tmpdir(), 'drawbridge-agent-test-'))
  const tools = await findControlPlane({env: process.env, onProgress: (line) => void process.stderr.write(`${line}\n`)})
  const cluster = await startCluster({tools, stateDir, name: 'dev', components, extraApiServerArgs})
  const transport = createTransport(await loadKubeconfigEndpoint(cluster.kubeconfigFile))
  return {
    cluster,
    kubeconfigFile: cluster.kubeconfigFile,
    admin: createKubeClient(transport),
    transport,
    async stop() {
      transport.close()
      await cluster.stop()
      await rm(stateDir, {recursive: true, force: true})
    },
  }
}
