import assert from 'node:assert/strict'
import {Readable} from 'node:stream'
import {test} from 'node:test'
import {readBody} from '#shared/aws/read-body.ts'

test('counts a body that announces no length, and stops it once it is too large', async () => {
  let produced = 0
  const endless = new Readable({
    read() {
      produced += 1_000
      this.push(Buffer.alloc(1_000))
    },
  })
  assert.equal(await readBody(endless, undefined, 50_000), 'too-large')
  assert.ok(endless.destroyed)
  assert.ok(produced < 500_000)
})

test('does not believe a length that is announced too low', async () => {
  assert.equal(await readBody(Readable.from([Buffer.alloc(10), Buffer.alloc(10)]), 5, 15), 'too-large')
})

test('joins the parts of a body', async () => {
  const body = await readBody(Readable.from([Buffer.from('one '), Buffer.from('two')]), 7, 7)
  assert.equal(body !== 'too-large' && Buffer.from(body).toString(), 'one two')
})
