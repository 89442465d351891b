import assert from 'node:assert/strict'
import {verify} from 'node:crypto'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {after, before, test} from 'node:test'
import {createKeyFileSigner, generateKeyFile} from '#shared/attest/key-file-signer.ts'
import {keyIdOf} from '#shared/attest/trust-root.ts'
import {createKmsClient, createKmsSigner} from '#shared/aws/kms-signer.ts'
import type {Signer} from '#shared/ports/signer.ts'
import {createMemorySigner} from '#test/fakes/memory-signer.ts'
import {type FakeKms, startFakeKms} from './fake-kms.ts'

interface OpenSigner {
  signer: Signer
  publicKeyPem: string
}

function testSigner(name: string, open: () => Promise<OpenSigner>): void {
  for (const size of [0, 1, 4_096, 4_097, 1_000_000]) {
    test(`${name}: signs ${size} bytes so that the public key verifies them`, async () => {
      const {signer, publicKeyPem} = await open()
      const message = Buffer.alloc(size, 'm')
      const signature = await signer.sign(message)
      assert.ok(verify('sha256', message, {key: publicKeyPem, dsaEncoding: 'der'}, signature))
      const other = Buffer.concat([message, Buffer.from('x')])
      assert.ok(!verify('sha256', other, {key: publicKeyPem, dsaEncoding: 'der'}, signature))
    })
  }

  test(`${name}: names its key by the digest of the public key`, async () => {
    const {signer, publicKeyPem} = await open()
    assert.equal(await signer.keyId(), keyIdOf(publicKeyPem))
  })
}

let directory: string
let kms: FakeKms
const kmsClients: ReturnType<typeof createKmsClient>[] = []

// The client looks for credentials in the environment, as it does in Lambda.
process.env.AWS_ACCESS_KEY_ID = 'contract'
process.env.AWS_SECRET_ACCESS_KEY = 'contract'

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'drawbridge-signer-'))
  kms = await startFakeKms()
})

after(async () => {
  for (const client of kmsClients) client.destroy()
  await kms?.stop()
  await rm(directory, {recursive: true, force: true})
})

function openKms(keyArn: string) {
  const client = createKmsClient({endpoint: kms.endpoint, region: 'us-east-1'})
  kmsClients.push(client)
  return createKmsSigner({client, keyArn})
}

testSigner('memory', async () => {
  const signer = createMemorySigner()
  return {signer, publicKeyPem: signer.publicKeyPem}
})

let files = 0
testSigner('key file', async () => {
  const file = join(directory, `key-${files++}.pem`)
  const publicKeyPem = await generateKeyFile(file)
  return {signer: createKeyFileSigner(file), publicKeyPem}
})

testSigner('KMS', async () => {
  const signer = openKms(kms.keyArn)
  return {signer, publicKeyPem: await signer.publicKeyPem()}
})

test('KMS: tells that a key is not there, and asks again the next time', async () => {
  const signer = openKms('arn:aws:kms:us-east-1:111122223333:key/other')
  await assert.rejects(signer.keyId(), /no such key/)
  await assert.rejects(signer.keyId(), /no such key/)
})
