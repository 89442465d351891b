import assert from 'node:assert/strict'
import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
import {after, before, test} from 'node:test'
import {createSecrets, createSecretsClient} from '#shared/aws/secrets.ts'

process.env.AWS_ACCESS_KEY_ID = 'test'
process.env.AWS_SECRET_ACCESS_KEY = 'test'

const stored: Record<string, object> = {
  'arn:text': {SecretString: 'the text'},
  'arn:binary': {SecretBinary: Buffer.from('x').toString('base64')},
}
const server = createServer((incoming, answer) => {
  const chunks: Uint8Array[] = []
  incoming.on('data', (chunk: Uint8Array) => chunks.push(chunk))
  incoming.on('end', () => {
    assert.equal(incoming.headers['x-amz-target'], 'secretsmanager.GetSecretValue')
    const output = stored[JSON.parse(Buffer.concat(chunks).toString()).SecretId]
    const absent = {__type: 'ResourceNotFoundException', message: 'there is no such secret'}
    answer.writeHead(output === undefined ? 400 : 200, {'content-type': 'application/x-amz-json-1.1'})
    answer.end(JSON.stringify(output ?? absent))
  })
})

before(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
after(() => {
  server.closeAllConnections()
  server.close()
})

test('reads the text of a secret, and tells where there is none', async () => {
  const {port} = server.address() as AddressInfo
  const client = createSecretsClient({endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1'})
  const secrets = createSecrets({client})
  assert.equal(await secrets.read('arn:text'), 'the text')
  await assert.rejects(secrets.read('arn:binary'), /arn:binary holds no text/)
  await assert.rejects(secrets.read('arn:absent'), /no such secret/)
  client.destroy()
})
