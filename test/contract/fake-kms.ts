import {createECDH, generateKeyPairSync, type KeyObject, sign} from 'node:crypto'
import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'

export interface FakeKms {
  readonly endpoint: string
  readonly keyArn: string
  stop(): Promise<void>
}

/** Starts a server on loopback that speaks KMS's Sign and GetPublicKey (JSON 1.1) over one real P-256 key. */
export async function startFakeKms(): Promise<FakeKms> {
  const {privateKey, publicKey} = generateKeyPairSync('ec', {namedCurve: 'P-256'})
  const keyArn = 'arn:aws:kms:us-east-1:111122223333:key/contract'
  const server = createServer((incoming, answer) => {
    const chunks: Uint8Array[] = []
    incoming.on('data', (chunk: Uint8Array) => chunks.push(chunk))
    incoming.on('end', () => {
      const operation = String(incoming.headers['x-amz-target'])
      const input: Record<string, unknown> = JSON.parse(Buffer.concat(chunks).toString())
      const [status, output] = input.KeyId === keyArn ? respond(operation, input, privateKey, publicKey) : NOT_FOUND
      answer.writeHead(status, {'content-type': 'application/x-amz-json-1.1'}).end(JSON.stringify(output))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const {port} = server.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}`,
    keyArn,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const NOT_FOUND: [number, object] = [400, {__type: 'NotFoundException', message: 'no such key'}]

function respond(
  operation: string,
  input: Record<string, unknown>,
  privateKey: KeyObject,
  publicKey: KeyObject,
): [number, object] {
  if (operation === 'TrentService.GetPublicKey') {
    const der = publicKey.export({type: 'spki', format: 'der'})
    return [200, {KeyId: input.KeyId, PublicKey: der.toString('base64'), KeySpec: 'ECC_NIST_P256'}]
  }
  const message = Buffer.from(String(input.Message), 'base64')
  const isRight =
    operation === 'TrentService.Sign' &&
    input.SigningAlgorithm === 'ECDSA_SHA_256' &&
    (input.MessageType === 'DIGEST' ? message.byteLength === 32 : message.byteLength <= 4_096)
  if (!isRight) return [400, {__type: 'ValidationException', message: 'not valid'}]
  const signature =
    input.MessageType === 'DIGEST' ? signDigest(message, privateKey) : sign('sha256', message, privateKey)
  return [200, {KeyId: input.KeyId, Signature: signature.toString('base64'), SigningAlgorithm: input.SigningAlgorithm}]
}

/** Order of P-256's group. FIPS 186-5 names it n. */
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

// ECDSA over a digest that was made elsewhere (FIPS 186-5, section 6.4.1): Node signs only what it hashes itself.
function signDigest(digest: Uint8Array, privateKey: KeyObject): Buffer {
  const d = toBigInt(Buffer.from(String(privateKey.export({format: 'jwk'}).d), 'base64url'))
  const ephemeral = createECDH('prime256v1')
  const r = toBigInt(ephemeral.generateKeys().subarray(1, 33)) % N
  const k = toBigInt(ephemeral.getPrivateKey())
  const s = (power(k, N - 2n) * (toBigInt(digest) + r * d)) % N
  const body = Buffer.concat([derInteger(r), derInteger(s)])
  return Buffer.concat([Buffer.from([0x30, body.byteLength]), body])
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let bit = 255n; bit >= 0n; bit--) {
    result = (result * result) % N
    if ((exponent >> bit) & 1n) result = (result * base) % N
  }
  return result
}

function toBigInt(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
}

function derInteger(value: bigint): Buffer {
  const hex = value.toString(16)
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  const isNegative = (bytes[0] ?? 0) >= 0x80
  const content = isNegative ? Buffer.concat([Buffer.from([0]), bytes]) : bytes
  return Buffer.concat([Buffer.from([0x02, content.byteLength]), content])
}
