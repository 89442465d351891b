import {randomBytes} from 'node:crypto'
import {mkdir, readFile, rm, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import * as z from 'zod'
import {generateKeyFile, readPublicKey} from '#shared/attest/key-file-signer.ts'
import {createTrustRoot, type TrustRoot} from '#shared/attest/trust-root.ts'
import {loadState, saveState} from './state-file.ts'

/** The files that make a local bridge itself: they outlive every restart with the same state directory. */
export interface BridgeKeys {
  signingKeyFile: string
  publicKeyFile: string
  trustRootFile: string
  trustRoot: TrustRoot
  webhookSecret: string
}

/** Finds the keys of a local bridge, or makes them: a signing key (0600), its public key, the trust root, the webhook secret. */
export async function loadBridgeKeys(stateDir: string): Promise<BridgeKeys> {
  const folder = join(stateDir, 'keys')
  await mkdir(folder, {recursive: true, mode: 0o700})
  const signingKeyFile = join(folder, 'signing.pem')
  const publicKeyFile = join(folder, 'public.pem')
  const trustRootFile = join(folder, 'trust-root.json')
  const secretFile = join(folder, 'webhook-secret.json')
  const publicKey = await readOrGenerate(signingKeyFile)
  await writeFile(publicKeyFile, publicKey)
  const trustRoot = createTrustRoot(publicKey)
  await saveState(trustRootFile, trustRoot)
  const kept = await loadState(secretFile, z.object({secret: z.string().min(16)}))
  const webhookSecret = kept?.secret ?? randomBytes(24).toString('hex')
  if (kept === undefined) await saveState(secretFile, {secret: webhookSecret})
  return {signingKeyFile, publicKeyFile, trustRootFile, trustRoot, webhookSecret}
}

async function readOrGenerate(file: string): Promise<string> {
  // A crash between creating the file and filling it leaves it empty: then no signature was made with it yet.
  const present = await readFile(file, 'utf8').catch(() => '')
  if (present.trim() !== '') return readPublicKey(file)
  await rm(file, {force: true})
  return generateKeyFile(file)
}
