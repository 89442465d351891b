import {createPublicKey} from 'node:crypto'
import * as z from 'zod'
import {API_VERSION} from '../model/api-version.ts'
import {digestOf, digestSchema} from '../model/digest.ts'
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

/** Reads a trust root; every key must hash to its id and every threshold be reachable. Throws `VerificationError` MALFORMED. */
export function parseTrustRoot(input: unknown): TrustRoot {
  const parsed = trustRootSchema.safeParse(input)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw malformed(`${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim())
  }
  const root = parsed.data
  for (const [id, key] of Object.entries(root.keys)) {
    if (keyIdOf(key.public) !== id) throw malformed(`the key under ${id} has another id`)
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
  const id = keyIdOf(publicKeyPem)
  const role = {keyids: [id], threshold: 1}
  return {
    apiVersion: API_VERSION,
    kind: 'TrustRoot',
    version: 1,
    keys: {[id]: {scheme: 'ecdsa-sha2-nistp256', public: publicKeyPem}},
    roles: {desired: role, attestation: role},
  }
}

/** The id of a public key in PEM: the digest of its SubjectPublicKeyInfo. Throws `VerificationError` MALFORMED where it is no P-256 key. */
export function keyIdOf(publicKeyPem: string): `sha256:${string}` {
  try {
    const key = createPublicKey(publicKeyPem)
    if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('it is not an ECDSA P-256 key')
    return digestOf(key.export({type: 'spki', format: 'der'}))
  } catch (cause) {
    throw new VerificationError('MALFORMED', 'a public key of the trust root cannot be read', {}, {cause})
  }
}

function malformed(why: string): VerificationError {
  return new VerificationError('MALFORMED', `the trust root cannot be used: ${why}`)
}
