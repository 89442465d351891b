import assert from 'node:assert/strict'
import {test} from 'node:test'
import fc from 'fast-check'
import {hideSecrets, isSecretName} from '#shared/plan/hide-secrets.ts'

for (const [text, expected] of [
  ['exec app --password hunter2', 'exec app --password [hidden]'],
  ['args ["--db-password", "hunter2"]', 'args ["--db-password", "[hidden]'],
  ['wrong password "hunter2"', 'wrong password [hidden]'],
  ['Pwd=hunter2', 'Pwd=[hidden]'],
  ['Server=db;Pwd=hunter2;Port=1', 'Server=db;Pwd=[hidden]'],
  ['DB_PASSWORD=correct horse battery staple', 'DB_PASSWORD=[hidden]'],
  ['DB_PASS=hunter2', 'DB_PASS=[hidden]'],
  ['{"password": {"value": "hunter2"}}', '{"password": [hidden]'],
  ['{"password": "hun\\"ter2", "port": 1}', '{"password": [hidden], "port": 1}'],
  ["password='it's hunter2'", 'password=[hidden]'],
  ['password:\n  hunter2', 'password:\n  [hidden]'],
  ['{"name":"DB_PASSWORD","value":"hunter2"}', '{"name":"DB_PASSWORD","value":[hidden]'],
  ['key AKIAIOSFODNN7EXAMPLE is not valid', 'key [hidden] is not valid'],
  ['no such key sk-live-abc123def456', 'no such key [hidden]'],
  ['no such key sk_test_abc123', 'no such key [hidden]'],
  ['bad ghp_0123456789abcdefghij', 'bad [hidden]'],
  ['cannot dial redis://:p/w@cache:6379', 'cannot dial redis://[hidden]@cache:6379'],
  ['cannot dial mongodb://u:p@ss@host/db', 'cannot dial mongodb://[hidden]@host/db'],
  ['cannot dial root:hunter2@tcp(db:3306)/web', 'cannot dial [hidden]@tcp(db:3306)/web'],
  ['got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln', 'got [hidden]'],
  ['-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\nbad key', '[hidden]\nbad key'],
  ['the token: abcdef', 'the token: [hidden]'],
  ['X-Token: correct horse', 'X-Token: [hidden]'],
] as const) {
  test(`hides the secret of ${JSON.stringify(text)}`, () => {
    assert.equal(hideSecrets(text), expected)
    assert.equal(hideSecrets(expected), expected)
  })
}

for (const text of [
  'secret "db" not found',
  "couldn't find key password in Secret web/db",
  'Back-off pulling image "registry.example/web:9"',
  'failed to fetch anonymous token: unexpected status from GET request to https://ghcr.io/token: 403 Forbidden',
  'pulling registry.example/web@sha256:9b2f1e7c9b2f1e7c9b2f1e7c9b2f1e7c9b2f1e7c9b2f1e7c9b2f1e7c9b2f1e7c',
  '0/3 nodes are available: 3 node(s) had untolerated taint {a: b}. preemption: 0/3 nodes are available',
  'Readiness probe failed: HTTP probe failed with statuscode: 503',
  'connect ECONNREFUSED 10.0.0.1:5432',
  'Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed.',
  'cannot pull global-registry-mirror/npm_config_registry, risk-assessment or sk-learn',
  'all bypass rules were compassionate',
  'Deployment web/web is not there',
]) {
  test(`leaves as it is: ${text}`, () => assert.equal(hideSecrets(text), text))
}

test('hides whatever is assigned to a password, to the end of its line', () => {
  const name = fc.constantFrom('password', 'DB_PASSWORD', 'api-key', 'apiKey', 'client_secret', 'PGPWD', 'auth-token')
  const between = fc.constantFrom('=', ': ', ' = ', ':= ', '=> ')
  const value = fc.stringMatching(/^[!-~][ -~]{0,60}$/).filter((text) => text.trim().length > 7 && !/^["']/.test(text))
  fc.assert(
    fc.property(name, between, value, (key, sign, secret) => {
      const shown = hideSecrets(`started\nfailed with ${key}${sign}${secret}\nended`)
      assert.ok(!shown.includes(secret.trim()), shown)
      assert.match(shown, /^started\n[\s\S]*\nended$/)
    }),
  )
})

test('takes no longer for what is made to take long', () => {
  for (const text of [
    'a:'.repeat(50_000),
    'Aa1'.repeat(50_000),
    '"'.repeat(50_000),
    'password '.repeat(9_000),
    '-'.repeat(50_000),
    'a://'.repeat(9_000),
    'name:'.repeat(9_000),
  ]) {
    const begun = process.cpuUsage()
    hideSecrets(text)
    assert.ok(process.cpuUsage(begun).user < 1_000_000, text.slice(0, 20))
  }
})

test('knows the names that secrets have', () => {
  for (const name of [
    'DB_PASSWORD',
    'password',
    'apiKey',
    'STRIPE_KEY',
    'tokens',
    'sshPrivateKey',
    'DB_PASS',
    'clientSecret',
  ]) {
    assert.equal(isSecretName(name), true, name)
  }
  for (const name of ['replicas', 'image', 'passThrough', 'PORT', 'keyboard', 'tokenizer', 'compassion']) {
    assert.equal(isSecretName(name), false, name)
  }
})
