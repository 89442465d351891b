import assert from 'node:assert/strict'
import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {after, before, test} from 'node:test'
import {createStatement} from '#shared/attest/create-statement.ts'
import {signEnvelope} from '#shared/attest/envelope.ts'
import {createKeyFileSigner} from '#shared/attest/key-file-signer.ts'
import {PAYLOAD_TYPES} from '#shared/attest/payload-types.ts'
import {canonicalJson} from '#shared/bundle/canonical-json.ts'
import {packBundle} from '#shared/bundle/pack-bundle.ts'
import {parseBundle} from '#shared/bundle/unpack-bundle.ts'
import type {DesiredState, PresentApp} from '#shared/model/desired-state.ts'
import {digestHex, digestOf} from '#shared/model/digest.ts'
import {startTrace} from '#shared/model/trace.ts'
import {type CliResult, runCli} from './run-cli.ts'

const commit = 'a'.repeat(40)
const packed = packBundle(
  {app: 'web', cluster: 'dev', inputs: digestOf('inputs'), renderer: {name: 'yaml', version: '1'}},
  [{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'a', namespace: 'web'}}],
)
const app: PresentApp = {
  state: 'present',
  name: 'web',
  declaredIn: {repository: 'https://git.example/fleet', ref: 'refs/heads/main'},
  source: {repository: 'https://git.example/fleet', ref: 'refs/heads/main', commit, path: 'web'},
  revision: `main@sha1:${commit}`,
  inputs: digestOf('inputs'),
  bundle: packed.address,
  createNamespace: false,
  sync: {prune: true, allowEmpty: false, drift: 'heal', timeoutSeconds: 300, deletionPolicy: 'Delete'},
  trace: startTrace(),
}
const desired: DesiredState = {
  apiVersion: 'drawbridge.dev/v1alpha1',
  kind: 'DesiredState',
  cluster: 'dev',
  version: 3,
  issuedAt: '2026-01-01T00:00:00.000Z',
  expiresAt: '2126-01-01T00:00:00.000Z',
  apps: [app],
  trace: startTrace(),
}

let folder: string
const at = (...names: string[]): string => join(folder, ...names)
const bundleFile = (): string => at('bundles', `${digestHex(packed.address.digest)}.ndjson.gz`)
const attestationFile = (): string => at('attestations', digestHex(packed.address.digest))

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drawbridge-verify-'))
  await mkdir(at('bundles'))
  await mkdir(at('attestations'))
  const made = await runCli(['keys', 'generate', '--out', at('key.pem')])
  assert.equal(made.status, 0, made.stderr)
  await writeFile(at('public.pem'), made.stdout)
  await writeFile(at('root.json'), (await runCli(['keys', 'trust-root', at('public.pem')])).stdout)
  const signer = createKeyFileSigner(at('key.pem'))
  await writeFile(bundleFile(), packed.bytes)
  const statement = createStatement({app, cluster: 'dev', header: parseBundle(packed.bytes).header})
  await writeFile(
    attestationFile(),
    await signEnvelope(signer, PAYLOAD_TYPES.statement, Buffer.from(canonicalJson(statement))),
  )
  await writeFile(
    at('desired'),
    await signEnvelope(signer, PAYLOAD_TYPES.desiredState, Buffer.from(canonicalJson(desired))),
  )
  const expired = {...desired, expiresAt: '2026-01-02T00:00:00.000Z'}
  await writeFile(
    at('expired'),
    await signEnvelope(signer, PAYLOAD_TYPES.desiredState, Buffer.from(canonicalJson(expired))),
  )
  const tampered = Uint8Array.from(packed.bytes)
  tampered[20] = (tampered[20] ?? 0) ^ 1
  await writeFile(at('bundles', 'tampered.ndjson.gz'), tampered)
  await writeFile(at('other.pem'), (await runCli(['keys', 'generate', '--out', at('other-key.pem')])).stdout)
  await writeFile(at('other-root.json'), (await runCli(['keys', 'trust-root', at('other.pem')])).stdout)
  await writeFile(at('junk'), 'neither')
})
after(() => rm(folder, {recursive: true, force: true}))

const verify = (...files: string[]): Promise<CliResult> => runCli(['verify', '--trust-root', at('root.json'), ...files])

test('says yes to a desired state, an attestation and a bundle, and from which commit they are', async () => {
  const {status, stdout, stderr} = await verify(at('desired'), attestationFile(), bundleFile())
  assert.equal(status, 0, stderr)
  assert.match(stdout, /valid desired state of cluster dev, version 3/)
  assert.match(
    stdout,
    new RegExp(`valid bundle of app web in cluster dev, 1 objects, from https://git.example/fleet main@sha1:${commit}`),
  )
})

test('finds the attestation beside a bundle in a copy of the bucket', async () => {
  assert.equal((await verify(bundleFile())).status, 0)
})

for (const [what, file, reason] of [
  ['a tampered bundle', () => at('bundles', 'tampered.ndjson.gz'), /no attestation/],
  ['an expired desired state', () => at('expired'), /EXPIRED/],
  ['a file that is neither', () => at('junk'), /MALFORMED/],
  ['a file that is not there', () => at('absent'), /cannot read/],
] as const) {
  test(`says no to ${what}, and why`, async () => {
    const {status, stderr, stdout} = await verify(file())
    assert.equal(status, 1)
    assert.match(stderr, reason)
    assert.equal(stdout, '')
  })
}

test('says no to all of it under the root of somebody else', async () => {
  for (const file of [at('desired'), attestationFile(), bundleFile()]) {
    const {status, stderr} = await runCli(['verify', '--trust-root', at('other-root.json'), file])
    assert.equal(status, 1)
    assert.match(stderr, /SIGNATURE_INVALID/)
  }
})

test('one bad file among good ones makes the answer no', async () => {
  assert.equal((await verify(at('desired'), at('junk'))).status, 1)
})

test('never overwrites a key', async () => {
  const {status, stderr} = await runCli(['keys', 'generate', '--out', at('key.pem')])
  assert.equal(status, 2)
  assert.match(stderr, /never overwritten/)
})

test('tells usage errors apart from a no', async () => {
  assert.equal((await runCli(['verify', at('desired')])).status, 2)
  assert.equal((await runCli(['nonsense'])).status, 2)
  assert.equal((await runCli(['--help'])).status, 0)
})
