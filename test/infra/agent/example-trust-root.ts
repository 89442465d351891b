import {generateKeyPairSync} from 'node:crypto'
import {createTrustRoot} from '#shared/attest/trust-root.ts'

/** The text of a trust root of a new key, as `drawbridge keys trust-root` prints it. */
export function exampleTrustRoot(): string {
  const {publicKey} = generateKeyPairSync('ec', {namedCurve: 'prime256v1'})
  return `${JSON.stringify(createTrustRoot(publicKey.export({type: 'spki', format: 'pem'}).toString()), null, 2)}\n`
}
