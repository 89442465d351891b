import assert from 'node:assert/strict'
import {join} from 'node:path'
import {type TestContext, test} from 'node:test'
import {type FindControlPlaneOptions, findControlPlane} from '#infra/local/find-control-plane.ts'
import {LocalStackError} from '#infra/local/local-stack-error.ts'
import {createFakeGo, writeExecutable, writeSources} from './go/fake-go.ts'

async function place(t: TestContext, options: {withGo?: boolean} = {}) {
  const go = await createFakeGo(t, options)
  const sourceDir = join(go.dir, 'source')
  await writeSources(sourceDir, {'main.go': 'package main'})
  const lines: string[] = []
  const {cacheDir, env} = go
  const find = (more: Partial<FindControlPlaneOptions> = {}) =>
    findControlPlane({cacheDir, sourceDir, env, onProgress: (line) => lines.push(line), ...more})
  return {...go, lines, find}
}

test('builds once for this machine, then finds the program in the cache', async (t) => {
  const {find, builds, lines} = await place(t)
  const first = await find()
  assert.deepEqual(await find(), first)
  assert.deepEqual(await builds(), ['/'])
  assert.match(lines[0] ?? '', /building the control plane.*: fetching Go modules, 0 s/)
})

test('lists the choices when there is neither a program nor a Go', async (t) => {
  const {find} = await place(t, {withGo: false})
  await assert.rejects(find(), (error: unknown) => {
    assert.ok(error instanceof LocalStackError)
    assert.equal(error.code, 'NO_CONTROL_PLANE')
    assert.match(error.message, /install Go/)
    assert.match(error.message, /DRAWBRIDGE_CONTROLPLANE/)
    return true
  })
})

test('prefers a named program and the etcd and kube-apiserver of KUBEBUILDER_ASSETS', async (t) => {
  const {bin, env, find, builds} = await place(t)
  for (const name of ['mine', 'etcd', 'kube-apiserver']) await writeExecutable(join(bin, name), '#!/bin/sh\n')
  const found = await find({env: {...env, DRAWBRIDGE_CONTROLPLANE: join(bin, 'mine'), KUBEBUILDER_ASSETS: bin}})
  assert.deepEqual(found, {
    program: join(bin, 'mine'),
    etcd: join(bin, 'etcd'),
    kubeApiserver: join(bin, 'kube-apiserver'),
  })
  assert.deepEqual(await builds(), [])
})

test('refuses a KUBEBUILDER_ASSETS without the programs it promises', async (t) => {
  const {find, env, bin} = await place(t)
  await assert.rejects(find({env: {...env, KUBEBUILDER_ASSETS: bin}}), {
    code: 'NO_CONTROL_PLANE',
    message: /KUBEBUILDER_ASSETS.*etcd/,
  })
})
