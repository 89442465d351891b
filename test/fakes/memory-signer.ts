import {generateKeyPairSync, sign} from 'node:crypto'
import {createTrustRoot, keyIdOf, type TrustRoot} from '#shared/attest/trust-root.ts'
import type {Signer} from '#shared/ports/signer.ts'

export interface MemorySigner extends Signer {
  readonly publicKeyPem: string
  /** Believes this signer and nobody else. */
  readonly trustRoot: TrustRoot
  /** How often it signed. */
  signatures(): number
}

/** Signs with a real key that is made on the spot and lives in memory. */
export function createMemorySigner(): MemorySigner {
  const {privateKey, publicKey} = generateKeyPairSync('ec', {namedCurve: 'P-256'})
  const publicKeyPem = publicKey.export({type: 'spki', format: 'pem'}).toString()
  let count = 0
  return {
    publicKeyPem,
    trustRoot: createTrustRoot(publicKeyPem),
    signatures: () => count,
    keyId: async () => keyIdOf(publicKeyPem),
    sign: async (message) => {
      count += 1
      return sign('sha256', message, {key: privateKey, dsaEncoding: 'der'})
    },
  }
}
