import assert from 'node:assert/strict'
import {test} from 'node:test'
import type {AgentContext} from '#agent/agent-context.ts'
import {createAppState} from '#agent/app-state.ts'
import type {KubeClient} from '#agent/kube/kube-client.ts'
import {KubeError} from '#agent/kube/kube-error.ts'
import type {KubeObject} from '#agent/kube/kube-object.ts'
import {unblockMemory} from '#agent/unblock-memory.ts'

const group = 'admissionregistration.k8s.io'
const ref = {group, kind: 'ValidatingWebhookConfiguration', name: 'guard'}
const live: KubeObject = {
  metadata: {name: 'guard', uid: 'u', resourceVersion: '1', labels: {'drawbridge.dev/app': 'shop'}},
  webhooks: [{name: 'guard.example', rules: []}],
}
const refusal = new KubeError('REJECTED', 'denied', {webhook: 'guard.example'})

/** An app as a ServiceAccount applied the webhook that is in the way; `answer` is what an apply in a name comes to. */
async function unblock(answer: (impersonate: string | undefined) => KubeError | undefined) {
  const app = createAppState('shop', new Date())
  app.serviceAccount = 'shop/deployer'
  app.inventory.set('guard', {ref, uid: 'u', version: 'v1', plural: 'validatingwebhookconfigurations'} as never)
  const names: (string | undefined)[] = []
  const apply: KubeClient['apply'] = async (_type, _target, _body, {impersonate}) => {
    names.push(impersonate)
    const error = answer(impersonate)
    if (error !== undefined) throw error
    return live
  }
  const ports = {kube: {apply, get: async () => live}, log: () => undefined}
  const ctx = {config: {namespace: 'drawbridge-system'}, apps: new Map([['shop', app]]), ports} as unknown
  return {outcome: await unblockMemory(ctx as AgentContext, refusal), names, said: app.exempted}
}

const user = 'system:serviceaccount:shop:deployer'

test('what blocks is exempt in the name of its app', async () => {
  const {outcome, names, said} = await unblock(() => undefined)
  assert.equal(outcome, 'unblocked')
  assert.deepEqual(names, [user])
  assert.match(String(said), /were left out of it/)
})

test("what blocks is exempt by the agent's own rights where the app's account has lost its own", async () => {
  const {outcome, names} = await unblock((name) => (name === user ? new KubeError('FORBIDDEN', 'no') : undefined))
  assert.equal(outcome, 'unblocked')
  assert.deepEqual(names, [user, undefined])
})

for (const [why, code] of [
  ['nobody may', 'FORBIDDEN'],
  ['it has as many conditions as there may be', 'INVALID'],
] as const) {
  test(`its app says that every app waits where what blocks cannot be exempt: ${why}`, async () => {
    const {outcome, said} = await unblock(() => new KubeError(code, 'the words of the server'))
    assert.equal(outcome, 'blocked')
    assert.match(String(said), /so every app waits.*the words of the server.*Leave drawbridge-system out of it/)
  })
}
