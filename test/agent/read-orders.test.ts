import assert from 'node:assert/strict'
import {test} from 'node:test'
import {isPruneApproved, readOrders} from '#agent/app-orders.ts'
import type {PresentApp} from '#shared/model/desired-state.ts'

const objectWith = (annotations: Record<string, string>) => ({
  apiVersion: 'drawbridge.dev/v1alpha1',
  kind: 'App',
  metadata: {name: 'web', namespace: 'own', uid: '1', resourceVersion: '1', annotations},
})

test('suspends by true in whatever case, and by nothing else, which is told where it is not false', () => {
  const read = (value: string) => readOrders(objectWith({'drawbridge.dev/suspend': value}))
  for (const value of ['true', 'True', 'TRUE']) assert.deepEqual(read(value), {suspended: true})
  for (const value of ['false', 'False']) assert.deepEqual(read(value), {suspended: false})
  for (const value of ['yes', '1', '']) assert.deepEqual(read(value), {suspended: false, misread: value})
  assert.deepEqual(readOrders(objectWith({})), {suspended: false})
})

test('a prune is approved by every form of its revision that people see, and by no other revision', () => {
  const commit = '1a2b3c4d'.repeat(5)
  const digest = `sha256:${'f'.repeat(64)}`
  const app = {name: 'web', revision: `main@sha1:${commit}`, bundle: {digest}} as PresentApp
  const isApproved = (prune: string) => isPruneApproved({orders: new Map([['web', {suspended: false, prune}]])}, app)
  for (const prune of [app.revision, `main@${commit.slice(0, 7)}`, commit, commit.slice(0, 7), digest])
    assert.ok(isApproved(prune), prune)
  const others = [
    '',
    'true',
    'main',
    commit.slice(0, 6),
    `dev@${commit.slice(0, 7)}`,
    `main@sha1:${'2'.repeat(40)}`,
    '2222222',
  ]
  for (const prune of others) assert.ok(!isApproved(prune), prune)
})
