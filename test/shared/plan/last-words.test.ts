import assert from 'node:assert/strict'
import {test} from 'node:test'
import fc from 'fast-check'
import {lastWords} from '#shared/plan/health/last-words.ts'

for (const [name, message, expected] of [
  ['nothing', '', ''],
  ['blank lines', '\n \n', ''],
  ['the only line', 'config file is missing\n', 'config file is missing'],
  [
    'the line of the error rather than what follows it',
    'starting\nError: connect ECONNREFUSED 10.0.0.1:5432\n    at TCPConnectWrap\n\nNode.js v24.21.0\n',
    'Error: connect ECONNREFUSED 10.0.0.1:5432',
  ],
  ['the last line where none speaks of an error', 'one\ntwo', 'two'],
  ['no password', 'login failed: password=hunter2 user=web', 'login failed: password=[hidden]'],
  ['no quoted secret', 'invalid {"db_password": "a b c", "port": 1}', 'invalid {"db_password": [hidden], "port": 1}'],
  [
    'no user information of a URL',
    'cannot reach postgres://web:pw@db:5432/web',
    'cannot reach postgres://[hidden]@db:5432/web',
  ],
  ['no authorization', 'denied: Authorization: Bearer abc.def.ghi', 'denied: Authorization: [hidden]'],
  ['no random words', 'invalid key AKIAabcdEFGH1234567890xyz', 'invalid key [hidden]'],
  [
    'ordinary long words',
    'cannot find module ./node_modules/some-package/dist/index.js',
    'cannot find module ./node_modules/some-package/dist/index.js',
  ],
] as const) {
  test(`says of ${name}`, () => assert.equal(lastWords(message), expected))
}

test('is short and one line, whatever a container writes', () => {
  fc.assert(
    fc.property(fc.string({unit: 'grapheme', maxLength: 5_000}), (message) => {
      const words = lastWords(message)
      assert.ok(words.length <= 201)
      assert.ok(!words.includes('\n'))
    }),
  )
})

test('hides the value of whatever is called a password, wherever it stands', () => {
  const key = fc.constantFrom('password', 'DB_PASSWORD', 'api-key', 'apiKey', 'auth.token', 'client_secret')
  const separator = fc.constantFrom('=', ': ', ' = ', '":"')
  const value = fc.stringMatching(/^[!-~]{8,40}$/).filter((text) => !/["'\s]/.test(text))
  fc.assert(
    fc.property(key, separator, value, (name, between, secret) => {
      const quote = between === '":"' ? '"' : ''
      const words = lastWords(`failed with ${quote}${name}${between}${secret}${quote} at start`)
      assert.ok(!words.includes(secret), words)
    }),
  )
})
