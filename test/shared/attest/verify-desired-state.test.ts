import assert from 'node:assert/strict'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {after, test} from 'node:test'
import fc from 'fast-check'
import {type Envelope, signEnvelope} from '#shared/attest/envelope.ts'
import {createKeyFileSigner, generateKeyFile} from '#shared/attest/key-file-signer.ts'
import {PAYLOAD_TYPES, type PayloadType} from '#shared/attest/payload-types.ts'
import {createTrustRoot, parseTrustRoot, type TrustRoot} from '#shared/attest/trust-root.ts'
import {VerificationError} from '#shared/attest/verification-error.ts'
import {verifyDesiredState} from '#shared/attest/verify-desired-state.ts'
import {canonicalJson} from '#shared/bundle/canonical-json.ts'
import {digestOf} from '#shared/model/digest.ts'
import {startTrace} from '#shared/model/trace.ts'

const folder = await mkdtemp(join(tmpdir(), 'drawbridge-attest-'))
after(() => rm(folder, {recursive: true}))

const [signer, publicKey] = await makeKey('bridge')
const [stranger, strangerKey] = await makeKey('stranger')
const trustRoot = createTrustRoot(publicKey)
const now = new Date('2026-06-01T00:00:00.000Z')
const clock = {now: () => now}

async function makeKey(name: string): Promise<[ReturnType<typeof createKeyFileSigner>, string]> {
  const file = join(folder, `${name}.pem`)
  const pem = await generateKeyFile(file)
  return [createKeyFileSigner(file), pem]
}

function desired(overrides: Record<string, unknown> = {}): Uint8Array {
  return Buffer.from(
    canonicalJson({
      apiVersion: 'drawbridge.dev/v1alpha1',
      kind: 'DesiredState',
      cluster: 'dev',
      version: 7,
      issuedAt: '2026-05-31T00:00:00.000Z',
      expiresAt: '2026-06-07T00:00:00.000Z',
      apps: [],
      trace: startTrace(),
      ...overrides,
    }),
  )
}

async function sign(
  payload: Uint8Array,
  by = signer,
  type: PayloadType = PAYLOAD_TYPES.desiredState,
): Promise<Uint8Array> {
  return signEnvelope(by, type, payload)
}

function edit(bytes: Uint8Array, change: (envelope: Envelope) => unknown): Uint8Array {
  return Buffer.from(JSON.stringify(change(JSON.parse(Buffer.from(bytes).toString()))))
}

function refusal(bytes: Uint8Array, options: Partial<Parameters<typeof verifyDesiredState>[1]> = {}): string {
  try {
    verifyDesiredState(bytes, {trustRoot, cluster: 'dev', clock, ...options})
  } catch (error) {
    assert.ok(error instanceof VerificationError, String(error))
    return error.code
  }
  return 'accepted'
}

test('accepts what the trust root signed for this cluster', async () => {
  const payload = desired()
  const result = verifyDesiredState(await sign(payload), {
    trustRoot,
    cluster: 'dev',
    clock,
    accepted: {version: 6, payload: digestOf('old')},
  })
  assert.equal(result.desired.version, 7)
  assert.equal(result.payload, digestOf(payload))
})

const payload = desired()
const good = await sign(payload)
for (const {what, bytes, options, code} of [
  {
    what: 'a signature by a key that the root does not name',
    bytes: await sign(payload, stranger),
    code: 'SIGNATURE_INVALID',
  },
  {
    what: 'a changed payload',
    bytes: edit(good, (e) => ({...e, payload: Buffer.from(desired({version: 8})).toString('base64')})),
    code: 'SIGNATURE_INVALID',
  },
  {
    what: 'a payload type changed after signing',
    bytes: edit(good, (e) => ({...e, payloadType: PAYLOAD_TYPES.statement})),
    code: 'SIGNATURE_INVALID',
  },
  {
    what: 'an envelope that was signed as something else',
    bytes: await sign(payload, signer, PAYLOAD_TYPES.statement),
    code: 'WRONG_PAYLOAD_TYPE',
  },
  {what: "another cluster's desired state", bytes: await sign(desired({cluster: 'prod'})), code: 'WRONG_CLUSTER'},
  {
    what: 'a version below the accepted one',
    bytes: good,
    options: {accepted: {version: 8, payload: digestOf('x')}},
    code: 'ROLLBACK',
  },
  {
    what: 'other content under the accepted version',
    bytes: good,
    options: {accepted: {version: 7, payload: digestOf('x')}},
    code: 'EQUIVOCATION',
  },
  {
    what: 'the accepted one again',
    bytes: good,
    options: {accepted: {version: 7, payload: digestOf(payload)}},
    code: 'accepted',
  },
  {
    what: 'one that expired this very moment',
    bytes: await sign(desired({expiresAt: now.toISOString()})),
    code: 'EXPIRED',
  },
  {what: 'a payload that is no desired state', bytes: await sign(Buffer.from('{}')), code: 'MALFORMED'},
  {what: 'no signature at all', bytes: edit(good, (e) => ({...e, signatures: []})), code: 'MALFORMED'},
  {
    what: 'an inclusion proof in place of a signature',
    bytes: Buffer.from('{"inclusionProof":{}}'),
    code: 'UNSUPPORTED_PROOF',
  },
  {what: 'bytes that are not JSON', bytes: Buffer.from('<html>'), code: 'MALFORMED'},
]) {
  test(`${code === 'accepted' ? 'accepts' : 'refuses'} ${what}${code === 'accepted' ? '' : ` as ${code}`}`, () => {
    assert.equal(refusal(bytes, options), code)
  })
}

test('checks the signature before the cluster, and the cluster before the version and the expiry', async () => {
  const wrongInAllWays = desired({cluster: 'prod', version: 1, expiresAt: '2020-01-01T00:00:00.000Z'})
  const accepted = {version: 7, payload: digestOf('x')}
  assert.equal(refusal(await sign(wrongInAllWays, stranger), {accepted}), 'SIGNATURE_INVALID')
  assert.equal(refusal(await sign(wrongInAllWays), {accepted}), 'WRONG_CLUSTER')
  assert.equal(refusal(await sign(wrongInAllWays), {accepted, cluster: 'prod'}), 'ROLLBACK')
  assert.equal(refusal(await sign(wrongInAllWays), {cluster: 'prod'}), 'EXPIRED')
})

test('takes the key id for a hint: a wrong one neither helps a stranger nor hurts the bridge', async () => {
  const relabel = (bytes: Uint8Array, keyid: string): Uint8Array =>
    edit(bytes, (e) => ({...e, signatures: e.signatures.map((s) => ({...s, keyid}))}))
  assert.equal(refusal(relabel(good, 'unknown')), 'accepted')
  assert.equal(refusal(relabel(await sign(payload, stranger), await signer.keyId())), 'SIGNATURE_INVALID')
})

test('counts distinct keys towards the threshold, not signatures', async () => {
  const both = createTrustRoot(publicKey)
  const other = createTrustRoot(strangerKey)
  const keyids = [...both.roles.desired.keyids, ...other.roles.desired.keyids]
  const two: TrustRoot = parseTrustRoot({
    ...both,
    keys: {...both.keys, ...other.keys},
    roles: {...both.roles, desired: {keyids, threshold: 2}},
  })
  const again = JSON.parse(Buffer.from(await sign(payload)).toString())
  const byStranger = JSON.parse(Buffer.from(await sign(payload, stranger)).toString())
  const twice = edit(good, (e) => ({...e, signatures: [...e.signatures, ...again.signatures]}))
  const byBoth = edit(good, (e) => ({...e, signatures: [...e.signatures, ...byStranger.signatures]}))
  assert.equal(refusal(twice, {trustRoot: two}), 'THRESHOLD_NOT_MET')
  assert.equal(refusal(byBoth, {trustRoot: two}), 'accepted')
})

test('a trust root whose threshold cannot be reached, or whose key is not the one it says, is refused', () => {
  const role = {keyids: trustRoot.roles.desired.keyids, threshold: 2}
  assert.throws(() => parseTrustRoot({...trustRoot, roles: {...trustRoot.roles, desired: role}}), VerificationError)
  const [id] = trustRoot.roles.desired.keyids
  const swapped = {...trustRoot, keys: {[id ?? '']: {scheme: 'ecdsa-sha2-nistp256', public: strangerKey}}}
  assert.throws(() => parseTrustRoot(swapped), VerificationError)
})

test('whatever bytes come, the answer is a refusal and never a crash', () => {
  fc.assert(fc.property(fc.uint8Array({maxLength: 300}), (bytes) => refusal(bytes) === 'MALFORMED'))
  fc.assert(fc.property(fc.json(), (text) => refusal(Buffer.from(text)) !== 'accepted'))
})
