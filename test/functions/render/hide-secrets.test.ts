import assert from 'node:assert/strict'
import {test} from 'node:test'
import {hideSecrets} from '#functions/render/hide-secrets.ts'
import {renderFiles} from './box-fixture.ts'

const head = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n'

test('an alias within its own anchor is a mistake of the file', async () => {
  const files = {'app/a.yaml': `${head}data: &x {password: hunter22, again: *x}\n`}
  const found = await renderFiles({renderer: 'yaml', files, path: 'app'})
  assert.ok(!found.ok)
  assert.equal(found.code, 'YAML_INVALID')
  assert.equal(found.message, 'not valid YAML: anchor value contains itself')
})

test('what stands beside an alias within its own anchor is hidden', () => {
  const content = Buffer.from('a: &x\n  again: *x\n  password:\n    deep: hunter22\nlist: [*x, {token: abcdefgh}]\n')
  const files = {opened: ['a.yaml'], read: () => content}
  const hidden = hideSecrets('hunter22 and abcdefgh', {files: {...unused, ...files}})
  assert.equal(hidden, '[hidden] and [hidden]')
})

const unused = {
  reads: {},
  stat: () => assert.fail(),
  list: () => assert.fail(),
  noteClock: () => assert.fail(),
}
