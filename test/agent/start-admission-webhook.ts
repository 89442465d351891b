import {mkdtemp, readFile, rm} from 'node:fs/promises'
import {createServer} from 'node:https'
import type {AddressInfo} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import * as z from 'zod'
import {findControlPlane} from '#infra/local/find-control-plane.ts'
import {issueCertificates} from '#infra/local/issue-kubeconfigs.ts'
import type {JsonObject, Manifest} from '#shared/model/manifest.ts'

/** What the API server asks of a webhook. */
export interface AdmissionCall {
  operation: string
  kind: string
  namespace: string
  name: string
  user: string
  dryRun: boolean
}

/** Says yes, or no in its own words and with a status of its own; may take its time. */
export type AdmissionVerdict = {allowed: true; delayMs?: number} | {allowed: false; message: string; code?: number}

/** A validating webhook on loopback, with an authority of its own. */
export interface AdmissionWebhook {
  readonly calls: AdmissionCall[]
  /** Decides from now on. */
  decide: (call: AdmissionCall) => AdmissionVerdict
  /** A configuration that sends it what `rules` say, of the namespaces with these labels. */
  configuration(name: string, options: WebhookOptions): Manifest
  stop(): Promise<void>
}

export interface WebhookOptions {
  namespace: string
  resources: string[]
  operations: string[]
  failurePolicy?: 'Fail' | 'Ignore'
  timeoutSeconds?: number
}

const reviewSchema = z.object({
  request: z.object({
    uid: z.string(),
    operation: z.string(),
    kind: z.object({kind: z.string()}),
    namespace: z.string().default(''),
    name: z.string().default(''),
    userInfo: z.object({username: z.string()}),
    dryRun: z.boolean().default(false),
  }),
})

/** Starts a webhook that allows everything at first. */
export async function startAdmissionWebhook(): Promise<AdmissionWebhook> {
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-webhook-'))
  const tools = await findControlPlane({env: process.env, onProgress: () => undefined})
  await issueCertificates(tools.program, folder, [])
  const [ca, cert, key] = await Promise.all(
    ['ca.crt', 'apiserver.crt', 'apiserver.key'].map((name) => readFile(join(folder, name))),
  )
  if (ca === undefined || cert === undefined || key === undefined) throw new Error('no certificates')
  const over = new AbortController()
  const calls: AdmissionCall[] = []
  const server = createServer({cert, key}, (incoming, answer) => {
    const parts: Buffer[] = []
    incoming.on('data', (part: Buffer) => parts.push(part))
    incoming.on('end', async () => {
      const {request} = reviewSchema.parse(JSON.parse(Buffer.concat(parts).toString('utf8')))
      const {operation, namespace, name, dryRun} = request
      const call = {operation, kind: request.kind.kind, namespace, name, user: request.userInfo.username, dryRun}
      calls.push(call)
      const verdict = webhook.decide(call)
      if (verdict.allowed && verdict.delayMs !== undefined) {
        await sleep(verdict.delayMs, undefined, {signal: over.signal}).catch(() => undefined)
      }
      const response: JsonObject = {
        uid: request.uid,
        allowed: verdict.allowed,
        ...(verdict.allowed
          ? {}
          : {status: {message: verdict.message, ...(verdict.code !== undefined && {code: verdict.code})}}),
      }
      answer.setHeader('content-type', 'application/json')
      answer.end(JSON.stringify({apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response}))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const {port} = server.address() as AddressInfo
  const webhook: AdmissionWebhook = {
    calls,
    decide: () => ({allowed: true}),
    configuration: (name, {namespace, resources, operations, failurePolicy = 'Fail', timeoutSeconds = 5}) => ({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: {name},
      webhooks: [
        {
          name: `${name}.example.com`,
          clientConfig: {url: `https://127.0.0.1:${port}/`, caBundle: ca.toString('base64')},
          rules: [{apiGroups: ['*'], apiVersions: ['*'], operations, resources}],
          namespaceSelector: {matchLabels: {'kubernetes.io/metadata.name': namespace}},
          failurePolicy,
          timeoutSeconds,
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
        },
      ],
    }),
    async stop() {
      over.abort()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(folder, {recursive: true, force: true})
    },
  }
  return webhook
}
