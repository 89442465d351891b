import assert from 'node:assert/strict'
import {test} from 'node:test'
import type {AgentContext} from '#agent/agent-context.ts'
import {createAppState} from '#agent/app-state.ts'
import type {KubeClient, ResourceType} from '#agent/kube/kube-client.ts'
import {KubeError} from '#agent/kube/kube-error.ts'
import {proveClaim} from '#agent/prove-claim.ts'

const group = 'admissionregistration.k8s.io'
const kind = 'ValidatingWebhookConfiguration'
const type: ResourceType = {group, version: 'v1', kind, plural: 'validatingwebhookconfigurations', namespaced: false}
const ref = {group, kind, namespace: '', name: 'guard'}

/** What a dry run proves that the API server refuses as invalid, while the webhook has these match conditions. */
async function prove(...conditions: string[]) {
  const matchConditions = conditions.map((name) => ({name, expression: 'true'}))
  const live = {
    metadata: {name: 'guard', uid: 'u', resourceVersion: '1'},
    webhooks: [{name: 'a.example', matchConditions}],
  }
  const kube: Pick<KubeClient, 'apply' | 'get'> = {
    apply: async () => {
      throw new KubeError('INVALID', 'webhooks[0].sideEffects: Required value')
    },
    get: async () => live,
  }
  const app = createAppState('claimant', new Date())
  app.target = {state: 'present', serviceAccount: 'web/deployer', bundle: {digest: 'd'}} as unknown as typeof app.target
  const ctx = {ports: {kube}, signal: new AbortController().signal} as unknown as AgentContext
  return proveClaim(ctx, app, ref, type)
}

test('an app may take a webhook configuration of which nothing but the exemption of the memory would be left', async () => {
  assert.equal(await prove('memory.drawbridge.dev'), 'may')
})

test('an app may not take a webhook configuration that is refused for itself', async () => {
  assert.equal(await prove('other'), 'refused')
})
