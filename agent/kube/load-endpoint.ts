import {readFile} from 'node:fs/promises'
import path from 'node:path'
import {parse} from 'yaml'
import * as z from 'zod'
import {KubeError} from './kube-error.ts'

/** Where an API server is and how to prove who asks. */
export interface KubeEndpoint {
  server: URL
  tls: {ca?: string; cert?: string; key?: string; servername?: string; rejectUnauthorized?: boolean}
  /** The Authorization header of now; undefined where a client certificate says it all. */
  authorization(): Promise<string | undefined>
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

/** The endpoint that a pod is given: its service account's token, which the kubelet rotates, and the cluster's CA. */
export async function loadInClusterEndpoint(env: {host: string; port: string}): Promise<KubeEndpoint> {
  const host = env.host.includes(':') ? `[${env.host}]` : env.host
  return {
    server: new URL(`https://${host}:${env.port}`),
    tls: {ca: await readText(`${SERVICE_ACCOUNT}/ca.crt`)},
    authorization: rereadToken(`${SERVICE_ACCOUNT}/token`),
  }
}

const text = z.string().min(1).optional()
const kubeconfigSchema = z.object({
  'current-context': z.string().min(1),
  contexts: z.array(z.object({name: z.string(), context: z.object({cluster: z.string(), user: z.string()})})),
  clusters: z.array(
    z.object({
      name: z.string(),
      cluster: z.object({
        server: z.url(),
        'certificate-authority': text,
        'certificate-authority-data': text,
        'tls-server-name': text,
        'insecure-skip-tls-verify': z.boolean().optional(),
      }),
    }),
  ),
  users: z.array(
    z.object({
      name: z.string(),
      user: z.object({
        'client-certificate': text,
        'client-certificate-data': text,
        'client-key': text,
        'client-key-data': text,
        token: text,
        tokenFile: text,
        exec: z.unknown().optional(),
        'auth-provider': z.unknown().optional(),
      }),
    }),
  ),
})

/** The endpoint of a kubeconfig's current context: client certificates, tokens and token files; logins by command go through the client library. */
export async function loadKubeconfigEndpoint(file: string): Promise<KubeEndpoint> {
  const folder = path.dirname(file)
  const parsed = kubeconfigSchema.safeParse(parse(await readText(file)))
  if (!parsed.success) {
    throw new KubeError(
      'BAD_CREDENTIALS',
      `${file} is not a kubeconfig that can be used: ${z.prettifyError(parsed.error)}`,
    )
  }
  const config = parsed.data
  const context = config.contexts.find((entry) => entry.name === config['current-context'])?.context
  const cluster = config.clusters.find((entry) => entry.name === context?.cluster)?.cluster
  const user = config.users.find((entry) => entry.name === context?.user)?.user
  if (cluster === undefined || user === undefined) {
    throw new KubeError(
      'BAD_CREDENTIALS',
      `${file}: the current context "${config['current-context']}" names no cluster or no user of this file; set another with kubectl config use-context`,
    )
  }
  const pem = async (data: string | undefined, name: string | undefined) =>
    data !== undefined
      ? Buffer.from(data, 'base64').toString('utf8')
      : name === undefined
        ? undefined
        : await readText(path.resolve(folder, name))
  const ca = await pem(cluster['certificate-authority-data'], cluster['certificate-authority'])
  const cert = await pem(user['client-certificate-data'], user['client-certificate'])
  const key = await pem(user['client-key-data'], user['client-key'])
  return {
    server: new URL(cluster.server),
    tls: {
      ...(ca === undefined ? {} : {ca}),
      ...(cert === undefined ? {} : {cert}),
      ...(key === undefined ? {} : {key}),
      ...(cluster['tls-server-name'] === undefined ? {} : {servername: cluster['tls-server-name']}),
      ...(cluster['insecure-skip-tls-verify'] === true ? {rejectUnauthorized: false} : {}),
    },
    authorization: authorizationOf(user, file),
  }
}

function authorizationOf(
  user: z.infer<typeof kubeconfigSchema>['users'][number]['user'],
  file: string,
): KubeEndpoint['authorization'] {
  if (user.exec !== undefined || user['auth-provider'] !== undefined) return askClientLibrary(file)
  if (user.tokenFile !== undefined) return rereadToken(path.resolve(path.dirname(file), user.tokenFile))
  const header = user.token === undefined ? undefined : `Bearer ${user.token}`
  return async () => header
}

/** Loaded only where it is needed: importing the client library costs 77 MB and more than a second. */
function askClientLibrary(file: string): KubeEndpoint['authorization'] {
  let config: Promise<import('@kubernetes/client-node/dist/config.js').KubeConfig> | undefined
  return async () => {
    config ??= import('@kubernetes/client-node/dist/config.js').then(({KubeConfig}) => {
      const loaded = new KubeConfig()
      loaded.loadFromFile(file)
      return loaded
    })
    const options: {headers?: Record<string, unknown>} = {}
    await (await config).applyToHTTPSOptions(options)
    const header = options.headers?.Authorization
    return typeof header === 'string' ? header : undefined
  }
}

/** Tokens of service accounts live for an hour; the file is read again every minute. */
function rereadToken(file: string): KubeEndpoint['authorization'] {
  let cached: {header: string; readAt: number} | undefined
  return async () => {
    const now = performance.now()
    if (cached === undefined || now - cached.readAt > 60_000) {
      cached = {header: `Bearer ${(await readText(file)).trim()}`, readAt: now}
    }
    return cached.header
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new KubeError('BAD_CREDENTIALS', `cannot read ${file}`, {}, {cause})
  }
}
