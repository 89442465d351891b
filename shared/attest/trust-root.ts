import {createPublicKey} from 'node:crypto'
import * as z from 'zod'
import {API_VERSION} from '../model/api-version.ts'
import {type Digest, digestOf, digestSchema} from '../model/digest.ts'
import {VerificationError} from './verification-error.ts'

const roleSchema = z.strictObject({keyids: z.array(digestSchema).min(1), threshold: z.int().min(1)})

/**
 * What an agent is pinned to: the keys it believes, and for each role how many of which must have signed. Shaped after TUF's
 * root role. Key ids are `sha256:<hex>` of the key's SubjectPublicKeyInfo.
 */
const trustRootSchema = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('TrustRoot'),
  version: z.int().positive(),
  keys: z.record(
    digestSchema,
    z.strictObject({scheme: z.literal('ecdsa-sha2-nistp256'), public: z.string().max(8192)}),
  ),
  roles: z.strictObject({desired: roleSchema, attestation: roleSchema}),
})
export type TrustRoot = z.infer<typeof trustRootSchema>
export type TrustRole = keyof TrustRoot['roles']

/** Reads the text of a trust root's file. Throws `VerificationError` MALFORMED, of which no message repeats the text: it may be a private key. */
export function readTrustRoot(text: string): TrustRoot {
  if (isPrivate(text)) throw malformed(PRIVATE)
  return parseTrustRoot(parseJson(text))
}

/** Reads a trust root; every key must hash to its id and every threshold be reachable. Throws `VerificationError` MALFORMED. */
export function parseTrustRoot(input: unknown): TrustRoot {
  const parsed = trustRootSchema.safeParse(input)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw malformed(`${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim())
  }
  const root = parsed.data
  for (const [id, key] of Object.entries(root.keys)) {
    const {spki, pem} = readPublicKey(key.public)
    if (digestOf(spki) !== id) throw malformed(`the key under ${id} has another id`)
    key.public = pem
  }
  for (const [name, role] of Object.entries(root.roles)) {
    if (new Set(role.keyids).size < role.threshold)
      throw malformed(`role ${name} asks for ${role.threshold} keys and names fewer`)
    const missing = role.keyids.find((id) => root.keys[id] === undefined)
    if (missing !== undefined) throw malformed(`role ${name} names ${missing}, which is not among the keys`)
  }
  return root
}

/** A trust root that believes one key for everything. `publicKeyPem` is SPKI in PEM. */
export function createTrustRoot(publicKeyPem: string): TrustRoot {
  const {spki, pem} = readPublicKey(publicKeyPem)
  const id = digestOf(spki)
  const role = {keyids: [id], threshold: 1}
  return {
    apiVersion: API_VERSION,
    kind: 'TrustRoot',
    version: 1,
    keys: {[id]: {scheme: 'ecdsa-sha2-nistp256', public: pem}},
    roles: {desired: role, attestation: role},
  }
}

/** The id of a public key in PEM: the digest of its SubjectPublicKeyInfo. Throws `VerificationError` MALFORMED where it is no P-256 key, or a private one. */
export function keyIdOf(publicKeyPem: string): Digest {
  return digestOf(readPublicKey(publicKeyPem).spki)
}

const PRIVATE =
  'it holds a private key. Keep that file where it signs, and give the public key alone (openssl pkey -in KEY -pubout)'

/** What of a text is a public key, written anew: nothing else that stood in it is passed on. */
function readPublicKey(text: string): {spki: Buffer; pem: string} {
  if (isPrivate(text)) throw new VerificationError('MALFORMED', `a public key is needed here: ${PRIVATE}`)
  // Node reads the public part out of a private key, a certificate, and text with anything around a key (RFC 7468, 13).
  if (!/^\s*-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----\s*$/.test(text)) {
    throw new VerificationError('MALFORMED', 'a public key is needed here: one PEM block PUBLIC KEY, and nothing else')
  }
  try {
    const key = createPublicKey({key: text, format: 'pem', type: 'spki'})
    if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('it is not an ECDSA P-256 key')
    const spki = key.export({type: 'spki', format: 'der'})
    return {spki, pem: key.export({type: 'spki', format: 'pem'}).toString()}
  } catch (cause) {
    throw new VerificationError('MALFORMED', 'a public key of the trust root cannot be read', {}, {cause})
  }
}

/** PEM of any private key (PKCS #8, SEC 1, PKCS #1, OpenSSH, encrypted or not), or a JWK with its private part. */
function isPrivate(text: string): boolean {
  return /PRIVATE KEY/i.test(text) || /"d"\s*:/.test(text)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw malformed('it is not JSON')
  }
}

function malformed(why: string): VerificationError {
  return new VerificationError('MALFORMED', `the trust root cannot be used: ${why}`)
}
