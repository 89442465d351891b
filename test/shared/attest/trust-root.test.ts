import assert from 'node:assert/strict'
import {generateKeyPairSync} from 'node:crypto'
import {test} from 'node:test'
import {completeInstall} from '#infra/agent/complete-install.ts'
import {createTrustRoot, keyIdOf, parseTrustRoot, readTrustRoot} from '#shared/attest/trust-root.ts'
import {VerificationError} from '#shared/attest/verification-error.ts'

const ec = generateKeyPairSync('ec', {namedCurve: 'P-256'})
const rsa = generateKeyPairSync('rsa', {modulusLength: 2048})
const publicPem = ec.publicKey.export({type: 'spki', format: 'pem'}).toString()
const pkcs8 = ec.privateKey.export({type: 'pkcs8', format: 'pem'}).toString()
const sec1 = ec.privateKey.export({type: 'sec1', format: 'pem'}).toString()
const sealed = ec.privateKey
  .export({type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'hunter2'})
  .toString()
const jwk = JSON.stringify(ec.privateKey.export({format: 'jwk'}))

const wrong: readonly [what: string, text: string][] = [
  ['a private key (PKCS #8)', pkcs8],
  ['a private key (SEC 1)', sec1],
  ['a private key (PKCS #1)', rsa.privateKey.export({type: 'pkcs1', format: 'pem'}).toString()],
  ['an encrypted private key', sealed],
  ['an OpenSSH private key', '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==\n-----END OPENSSH PRIVATE KEY-----\n'],
  ['a JWK with its private part', jwk],
  ['a public key with a private one behind it', `${publicPem}${pkcs8}`],
  ['a public key with a private one before it', `${sec1}${publicPem}`],
  ['a public key with words around it', `here it is:\n${publicPem}`],
  ['two public keys', `${publicPem}${publicPem}`],
  ['a certificate', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'],
  ['an RSA public key', rsa.publicKey.export({type: 'pkcs1', format: 'pem'}).toString()],
  ['a public key of another kind', rsa.publicKey.export({type: 'spki', format: 'pem'}).toString()],
]

for (const [what, text] of wrong) {
  test(`${what} is never made a trust root, nor read as one, nor told`, () => {
    const root = createTrustRoot(publicPem)
    const [id = ''] = Object.keys(root.keys)
    const poisoned = {...root, keys: {[id]: {scheme: 'ecdsa-sha2-nistp256', public: text}}}
    const tries = [
      () => createTrustRoot(text),
      () => keyIdOf(text),
      () => parseTrustRoot(poisoned),
      () => readTrustRoot(text),
      () => readTrustRoot(JSON.stringify(poisoned)),
    ]
    for (const attempt of tries) {
      assert.throws(attempt, (error) => {
        assert.ok(error instanceof VerificationError)
        assert.equal(error.code, 'MALFORMED')
        return !error.message.includes(text.slice(30, 60))
      })
    }
  })
}

test('what is written is the exported key, whatever white space stood around it', () => {
  const root = createTrustRoot(`\n\n${publicPem.replaceAll('\n', '\r\n')}\n`)
  assert.equal(Object.values(root.keys)[0]?.public, publicPem)
  const [id = ''] = Object.keys(root.keys)
  const spaced = {...root, keys: {[id]: {scheme: 'ecdsa-sha2-nistp256', public: `${publicPem}\n\n`}}}
  assert.deepEqual(readTrustRoot(JSON.stringify(spaced)), root)
})

test('manifests hold the trust root written anew: what JSON says twice is not passed on', () => {
  const text = JSON.stringify(createTrustRoot(publicPem))
  const {install} = completeInstall({trustRoot: text.replace('{', '{"kind": "secret words",')})
  assert.equal(install.trustRoot, `${JSON.stringify(createTrustRoot(publicPem), null, 2)}\n`)
})
