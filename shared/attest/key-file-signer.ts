import {createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign} from 'node:crypto'
import {readFile, writeFile} from 'node:fs/promises'
import {memoizeAsync} from '../async/memoize-async.ts'
import type {Signer} from '../ports/signer.ts'
import {keyIdOf} from './trust-root.ts'

/** Signs with a private key in a PEM file (PKCS #8, ECDSA P-256): what stands in for KMS on one machine. The file is read once. */
export function createKeyFileSigner(file: string): Signer {
  const load = memoizeAsync(async () => {
    const key = createPrivateKey(await readFile(file))
    return {key, id: keyIdOf(publicPem(key))}
  })
  return {
    keyId: async () => (await load()).id,
    sign: async (message) => sign('sha256', message, {key: (await load()).key, dsaEncoding: 'der'}),
  }
}

/** Makes a key pair: writes the private key to `file` (mode 0600; never over an existing one) and returns the public key as PEM. Rejects with EEXIST. */
export async function generateKeyFile(file: string): Promise<string> {
  const {privateKey} = generateKeyPairSync('ec', {namedCurve: 'P-256'})
  await writeFile(file, privateKey.export({type: 'pkcs8', format: 'pem'}), {mode: 0o600, flag: 'wx'})
  return publicPem(privateKey)
}

/** The public key, as PEM, of a private key file. */
export async function readPublicKey(file: string): Promise<string> {
  return publicPem(createPrivateKey(await readFile(file)))
}

function publicPem(privateKey: KeyObject): string {
  return createPublicKey(privateKey).export({type: 'spki', format: 'pem'}).toString()
}
