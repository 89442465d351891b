import assert from 'node:assert/strict'
import {tmpdir} from 'node:os'
import {test} from 'node:test'
import {runCli} from './run-cli.ts'

const missing = '/nowhere/file'
const commands: [string, string[], RegExp][] = [
  ['health -f', ['health', '-f', missing], /cannot read \/nowhere\/file: there is no such file/],
  ['health --rules', ['health', '--rules', missing], /cannot read \/nowhere\/file: there is no such file/],
  ['dev --policy', ['dev', '--policy', missing], /--policy: cannot read \/nowhere\/file: there is no such file/],
  ['dev --kubeconfig', ['dev', '--kubeconfig', missing], /--kubeconfig \/nowhere\/file: there is no such file/],
  ['diff --kubeconfig', ['diff', '--kubeconfig', missing], /--kubeconfig \/nowhere\/file: there is no such file/],
  ['keys id', ['keys', 'id', missing], /cannot read \/nowhere\/file: there is no such file/],
  [
    'agent manifests --trust-root',
    ['agent', 'manifests', '--trust-root', missing],
    /--trust-root: cannot read \/nowhere\/file: there is no such file/,
  ],
  [
    'verify --trust-root',
    ['verify', tmpdir(), '--trust-root', missing],
    /cannot read \/nowhere\/file: there is no such file/,
  ],
]

for (const [what, args, words] of commands) {
  test(`${what} says once, in one line, that there is no such file, with exit status 2`, async () => {
    const {status, stdout, stderr} = await runCli(args, {cwd: tmpdir()})
    assert.equal(status, 2)
    assert.equal(stdout, '')
    assert.match(stderr, words)
    assert.doesNotMatch(stderr, /ENOENT/)
    assert.deepEqual(stderr.trimEnd().split('\n').length, 1, stderr)
  })
}
