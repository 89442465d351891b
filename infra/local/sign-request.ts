import {createHash, createHmac} from 'node:crypto'

/** An AWS key pair. */
export interface Credentials {
  accessKeyId: string
  secretAccessKey: string
}

interface UnsignedRequest {
  method: string
  url: URL
  body: string
  region: string
  service: string
  credentials: Credentials
  now: Date
}

/**
 * Makes the headers that sign a request (AWS Signature Version 4, in the Authorization header).
 * For our own few requests to the local servers, whose paths and query parameters need no escaping; the functions and
 * agents use the AWS SDK.
 */
export function signRequest({
  method,
  url,
  body,
  region,
  service,
  credentials,
  now,
}: UnsignedRequest): Record<string, string> {
  const amzDate = now.toISOString().replace(/[-:]|\.\d+/g, '')
  const scope = `${amzDate.slice(0, 8)}/${region}/${service}/aws4_request`
  const payloadHash = sha256(body)
  const headers = {host: url.host, 'x-amz-content-sha256': payloadHash, 'x-amz-date': amzDate}
  const signedHeaders = Object.keys(headers).join(';')
  const query = [...url.searchParams].map(([name, value]) => `${name}=${value}`).sort()
  const canonicalRequest = [
    method,
    url.pathname,
    query.join('&'),
    ...Object.entries(headers).map(([name, value]) => `${name}:${value}`),
    '',
    signedHeaders,
    payloadHash,
  ].join('\n')
  const stringToSign = ['AWS4-HMAC-SHA256', amzDate, scope, sha256(canonicalRequest)].join('\n')
  const key = scope
    .split('/')
    .reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${credentials.secretAccessKey}`)
  const signature = hmac(key, stringToSign).toString('hex')
  return {
    'x-amz-content-sha256': payloadHash,
    'x-amz-date': amzDate,
    authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`,
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
