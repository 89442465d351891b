import {createServer, type IncomingMessage, type ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'
import type {APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2} from 'aws-lambda'
import {limits} from '#shared/model/limits.ts'

type FunctionUrlHandler = (event: APIGatewayProxyEventV2) => Promise<APIGatewayProxyStructuredResultV2>

/**
 * Puts a handler behind HTTP on loopback, in the way of a Lambda function URL (payload format 2.0; the body as text where it is
 * UTF-8 and in base64 where it is not). Listens on `port`, or a free one.
 */
export async function serveWebhook(
  handler: FunctionUrlHandler,
  port = 0,
): Promise<{url: string; port: number; stop(): Promise<void>}> {
  const server = createServer((request, response) => {
    answer(handler, request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500, {'content-type': 'application/json'})
      response.end(JSON.stringify({error: 'internal error'}))
      process.emitWarning(`webhook server: ${error instanceof Error ? error.message : String(error)}`)
    })
  })
  server.requestTimeout = 30_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const address = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${address.port}/`,
    port: address.port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(handler: FunctionUrlHandler, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readBody(request)
  const url = new URL(request.url ?? '/', 'http://127.0.0.1')
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(',') : (value ?? ''),
    ]),
  )
  const text = body.toString('utf8')
  const isText = Buffer.from(text).equals(body)
  const now = new Date()
  const result = await handler({
    version: '2.0',
    routeKey: '$default',
    rawPath: url.pathname,
    rawQueryString: url.search.slice(1),
    headers,
    requestContext: {
      accountId: 'anonymous',
      apiId: 'local',
      domainName: '127.0.0.1',
      domainPrefix: 'local',
      http: {
        method: request.method ?? 'GET',
        path: url.pathname,
        protocol: 'HTTP/1.1',
        sourceIp: request.socket.remoteAddress ?? '',
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: headers['x-github-delivery'] ?? '',
      routeKey: '$default',
      stage: '$default',
      time: now.toISOString(),
      timeEpoch: now.getTime(),
    },
    body: isText ? text : body.toString('base64'),
    isBase64Encoded: !isText,
  })
  response.writeHead(result.statusCode ?? 200, result.headers as Record<string, string> | undefined)
  response.end(result.body ?? '')
}

// One byte over the limit is kept, so that the function itself says 413; the rest is read and dropped, so that the sender hears it.
async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    const room = limits.maxWebhookBytes + 1 - size
    if (room > 0) chunks.push(chunk.subarray(0, room))
    size += chunk.byteLength
  }
  return Buffer.concat(chunks)
}
