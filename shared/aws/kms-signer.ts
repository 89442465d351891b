import {createHash, createPublicKey} from 'node:crypto'
import {GetPublicKeyCommand, KMSClient, SignCommand} from '@aws-sdk/client-kms'
import {digestOf} from '../model/digest.ts'
import type {Signer} from '../ports/signer.ts'
import {requestSettings} from './request-settings.ts'

/** A signer whose public key can be asked for, as PEM (SubjectPublicKeyInfo). */
export interface KmsSigner extends Signer {
  publicKeyPem(): Promise<string>
}

/** Signs with an ECC_NIST_P256 key in AWS KMS. The public key is fetched once; a failed fetch is tried again by the next call. */
export function createKmsSigner({client, keyArn}: {client: KMSClient; keyArn: string}): KmsSigner {
  let loaded: Promise<Uint8Array> | undefined
  const publicKey = (): Promise<Uint8Array> => {
    loaded ??= fetchPublicKey(client, keyArn).catch((error: unknown) => {
      loaded = undefined
      throw error
    })
    return loaded
  }
  return {
    keyId: async () => digestOf(await publicKey()),
    publicKeyPem: async () =>
      createPublicKey({key: Buffer.from(await publicKey()), format: 'der', type: 'spki'})
        .export({type: 'spki', format: 'pem'})
        .toString(),
    sign: async (message) => {
      // KMS takes messages of at most 4,096 bytes, and digests of larger ones.
      const {Signature} = await client.send(
        new SignCommand({
          KeyId: keyArn,
          Message: createHash('sha256').update(message).digest(),
          MessageType: 'DIGEST',
          SigningAlgorithm: 'ECDSA_SHA_256',
        }),
      )
      if (Signature === undefined) throw new Error(`KMS returned no signature by key ${keyArn}`)
      return Signature
    },
  }
}

/** Builds a KMS client with the timeouts and retries of all AWS clients. `endpoint` overrides the service's own. */
export function createKmsClient({endpoint, region}: {endpoint?: string; region?: string} = {}): KMSClient {
  return new KMSClient({
    ...requestSettings(),
    ...(endpoint !== undefined && {endpoint}),
    ...(region !== undefined && {region}),
  })
}

async function fetchPublicKey(client: KMSClient, keyArn: string): Promise<Uint8Array> {
  const {PublicKey, KeySpec} = await client.send(new GetPublicKeyCommand({KeyId: keyArn}))
  if (PublicKey === undefined || KeySpec !== 'ECC_NIST_P256') {
    throw new Error(`KMS key ${keyArn} has the spec ${KeySpec}; expected ECC_NIST_P256`)
  }
  return PublicKey
}
