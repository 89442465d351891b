import assert from 'node:assert/strict'
import {test} from 'node:test'
import {checkSyncOptions} from '#functions/render/check-sync-options.ts'
import {parseConfig} from '#functions/render/parse-config.ts'

function appWith(sync: string) {
  const {config, findings} = parseConfig(`
apiVersion: drawbridge.dev/v1alpha1
kind: Cluster
metadata: {name: dev}
---
apiVersion: drawbridge.dev/v1alpha1
kind: App
metadata: {name: web}
spec: {clusters: [dev], sync: ${sync}}
`)
  assert.deepEqual(findings, [])
  const [app] = config.apps
  assert.ok(app !== undefined)
  return app
}

test('accepts expressions and paths that can be used', async () => {
  const app = appWith(`{
    ignoreDifferences: [{group: apps, kind: Deployment, jsonPointers: [/spec/replicas], jqPathExpressions: ['.a[]?.b']}],
    healthCheckExprs: [{apiVersion: example.com/v1, kind: Widget, current: 'status.ready'}]}`)
  assert.deepEqual(await checkSyncOptions(app), [])
})

test('tells which expression and which path cannot be used, and why', async () => {
  const app = appWith(`{
    ignoreDifferences: [{kind: Secret, jsonPointers: [/data]}, {kind: Pod, jqPathExpressions: ['.a | del(.b)']}],
    healthCheckExprs: [{apiVersion: example.com/v1, kind: Widget, failed: 'status.(', current: 'true'}]}`)
  const messages = (await checkSyncOptions(app)).map(({message}) => message)
  assert.equal(messages.length, 2)
  assert.match(messages[0] ?? '', /App web, sync.ignoreDifferences\[1\]: jq path ".a | del\(.b\)"/)
  assert.match(
    messages[1] ?? '',
    /App web, sync.healthCheckExprs\[0\]: failed of example.com\/v1 Widget: CEL expression/,
  )
})
