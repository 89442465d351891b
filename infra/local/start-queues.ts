import {setImmediate as nextTurn} from 'node:timers/promises'

import {buildApp} from 'fauxqs'
import * as z from 'zod'

import {findFreePort} from './find-free-port.ts'
import {LocalStackError} from './local-stack-error.ts'

export interface StartQueuesOptions {
  /** Called with a line for people when a message is put back that a client asked for and did not wait for. */
  log?: (line: string) => void
}

export interface QueueSettings {
  /** For how long a received message is hidden from others. Range 0 to 43,200. */
  visibilityTimeoutSeconds: number
  /** Moves a message that was received `receives` times to `queue`, which must exist. @default never */
  deadLetterAfter?: {queue: string; receives: number}
}

/** An SQS server inside this process, on loopback, in memory. It takes any credentials. */
export interface LocalQueues {
  /** `http://127.0.0.1:PORT`; the same after `restart`. */
  readonly endpoint: string
  readonly region: string
  /** Makes a standard queue and returns its URL; the same again for the same settings. */
  createQueue(name: string, settings: QueueSettings): Promise<string>
  stop(): Promise<void>
  /** Stops and starts on the same port, with the same queues and no messages. */
  restart(): Promise<void>
}

type App = Awaited<ReturnType<typeof buildApp>>

const region = 'us-east-1'
const account = '000000000000'

/** Starts an SQS server in this process. Throws REQUEST_REFUSED from `createQueue`, with the server's words. */
export async function startQueues({log = () => undefined}: StartQueuesOptions = {}): Promise<LocalQueues> {
  const port = await findFreePort()
  const endpoint = `http://127.0.0.1:${port}`
  const queues = new Map<string, QueueSettings>()
  // The server's own URLs name a host below localhost, which not every system resolves; it reads only their path.
  const queueUrl = (name: string) => `${endpoint}/${account}/${name}`
  let app = await listen(port, log)

  const makeQueue = async (name: string, settings: QueueSettings): Promise<string> => {
    const {visibilityTimeoutSeconds, deadLetterAfter} = settings
    const redrive = deadLetterAfter && {
      deadLetterTargetArn: `arn:aws:sqs:${region}:${account}:${deadLetterAfter.queue}`,
      maxReceiveCount: deadLetterAfter.receives,
    }
    await callSqs(app, endpoint, 'CreateQueue', {
      QueueName: name,
      Attributes: {
        VisibilityTimeout: String(visibilityTimeoutSeconds),
        ...(redrive && {RedrivePolicy: JSON.stringify(redrive)}),
      },
    })
    queues.set(name, settings)
    return queueUrl(name)
  }
  const close = async () => {
    // Deleting a queue answers the polls that wait on it; else they would keep this process alive until they time out.
    for (const name of queues.keys()) {
      await callSqs(app, endpoint, 'DeleteQueue', {QueueUrl: queueUrl(name)})
    }
    await app.close()
  }
  return {
    endpoint,
    region,
    createQueue: makeQueue,
    stop: close,
    async restart() {
      await close()
      app = await listen(port, log)
      for (const [name, settings] of queues) await makeQueue(name, settings)
    },
  }
}

async function listen(port: number, log: (line: string) => void): Promise<App> {
  const app = buildApp({logger: false, defaultRegion: region})
  app.addHook('onSend', async (request, reply, payload) => {
    if (request.headers['x-amz-target'] !== 'AmazonSQS.ReceiveMessage') return
    // The news that the connection was closed may be waiting behind that of the message; a turn of the loop brings both.
    await nextTurn()
    await nextTurn()
    if (!request.raw.socket?.destroyed) return
    // The one who polled has gone: without this, nobody would see the messages before their visibility timeout.
    const queueUrl = z.object({QueueUrl: z.string()}).safeParse(request.body).data?.QueueUrl
    const received = receivedSchema.safeParse(typeof payload === 'string' ? JSON.parse(payload) : undefined).data
    for (const {ReceiptHandle} of received?.Messages ?? []) {
      await callSqs(app, `http://${request.headers.host}`, 'ChangeMessageVisibility', {
        QueueUrl: queueUrl,
        ReceiptHandle,
        VisibilityTimeout: 0,
      })
      log(`put back a message of ${queueUrl}: the poll that it answered was given up (${reply.statusCode})`)
    }
  })
  await app.listen({host: '127.0.0.1', port})
  return app
}

const receivedSchema = z.object({Messages: z.array(z.object({ReceiptHandle: z.string()})).optional()})

async function callSqs(app: App, endpoint: string, action: string, input: object): Promise<unknown> {
  const response = await app.inject({
    method: 'POST',
    url: '/',
    headers: {
      host: new URL(endpoint).host,
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `AmazonSQS.${action}`,
    },
    payload: JSON.stringify(input),
  })
  if (response.statusCode !== 200) {
    throw new LocalStackError(
      'REQUEST_REFUSED',
      `the SQS server answered ${action} with ${response.statusCode}: ${response.body}`,
    )
  }
  return response.body === '' ? undefined : JSON.parse(response.body)
}
