import assert from 'node:assert/strict'
import {test} from 'node:test'
import fc from 'fast-check'
import {normaliseRepositoryUrl, parseRepositoryUrl, sameRepository} from '#shared/model/repository-url.ts'

test('takes all spellings of one repository for the same', () => {
  const spellings = [
    'https://github.com/Acme/Fleet',
    'https://github.com/acme/fleet.git',
    'https://GitHub.com/acme/fleet/',
    'https://github.com:443/acme/fleet',
    'git@github.com:acme/fleet.git',
    'ssh://git@github.com/acme/fleet.git',
  ]
  for (const url of spellings) assert.equal(normaliseRepositoryUrl(url), 'https://github.com/acme/fleet', url)
  assert.ok(sameRepository('/srv/fleet.git', 'file:///srv/fleet'))
  assert.ok(sameRepository('/srv/fleet/.git', '/srv/fleet/'))
})

test('keeps different repositories apart', () => {
  assert.ok(!sameRepository('https://git.example.com/A/b', 'https://git.example.com/a/b'))
  assert.ok(!sameRepository('https://git.example.com/a/b', 'https://git.example.com:8443/a/b'))
  assert.ok(!sameRepository('https://git.example.com/a/b', 'http://git.example.com/a/b'))
  assert.ok(!sameRepository('/srv/a', '/srv/b'))
  assert.ok(!sameRepository('https://user:x@github.com/a/b', 'https://github.com/a/b'))
})

test('refuses credentials, other protocols and what is no URL, without repeating it', () => {
  for (const url of [
    'https://user:hunter2@example.com/a/b',
    'https://hunter2@example.com/a/b',
    'ssh://git:hunter2@example.com/a/b',
    'ftp://example.com/hunter2',
    'file://hunter2/a',
    'hunter2',
    'https://example.com/a?token=hunter2',
    'https://hunter2.example.com',
    '',
    'https://example.com/a b',
  ]) {
    const location = parseRepositoryUrl(url)
    assert.ok(location.kind === 'unsupported' && !location.reason.includes('hunter2'), url)
  }
})

test('is the same when normalised again, and never throws', () => {
  const part = fc.stringMatching(/^[A-Za-z0-9_.-]{1,12}$/).filter((text) => text !== '.' && text !== '..')
  const path = fc.array(part, {minLength: 1, maxLength: 3}).map((parts) => parts.join('/'))
  const host = fc.constantFrom('github.com', 'GIT.example.com', 'localhost:8080', '127.0.0.1:3000')
  const url = fc.oneof(
    fc
      .tuple(fc.constantFrom('https://', 'http://'), host, path, fc.constantFrom('', '/', '.git', '.git/'))
      .map(([protocol, name, rest, end]) => `${protocol}${name}/${rest}${end}`),
    path.map((rest) => `/${rest}`),
    fc.string(),
  )
  fc.assert(
    fc.property(url, (text) => {
      const once = normaliseRepositoryUrl(text)
      assert.equal(normaliseRepositoryUrl(once), once)
      assert.ok(sameRepository(text, once))
    }),
    {numRuns: 2000},
  )
})
