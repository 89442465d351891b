import {readFile} from 'node:fs/promises'
import {request} from 'node:https'

import {parse} from 'yaml'
import {z} from 'zod'

const kubeconfigSchema = z.object({
  clusters: z.tuple([z.object({cluster: z.object({server: z.string(), 'certificate-authority-data': z.string()})})]),
  users: z.tuple([z.object({user: z.object({'client-certificate-data': z.string(), 'client-key-data': z.string()})})]),
})

/** Sends one JSON request as a kubeconfig's user, or as nobody. */
export async function kubeRequest(
  kubeconfigFile: string,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: unknown,
  {anonymous = false} = {},
): Promise<{status: number; body: unknown}> {
  const {clusters, users} = kubeconfigSchema.parse(parse(await readFile(kubeconfigFile, 'utf8')))
  const decode = (base64: string) => Buffer.from(base64, 'base64')
  const user = users[0].user
  const identity = anonymous
    ? {}
    : {cert: decode(user['client-certificate-data']), key: decode(user['client-key-data'])}
  return new Promise((resolve, reject) => {
    const outgoing = request(
      new URL(path, clusters[0].cluster.server),
      {
        method,
        ca: decode(clusters[0].cluster['certificate-authority-data']),
        ...identity,
        agent: false,
        timeout: 10_000,
        headers: {'content-type': 'application/json'},
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () =>
          resolve({status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString('utf8'))}),
        )
        response.on('error', reject)
      },
    )
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer to ${method} ${path} in 10 s`)))
    outgoing.on('error', reject)
    outgoing.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
