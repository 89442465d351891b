import assert from 'node:assert/strict'
import {after, test} from 'node:test'
import {Match} from 'aws-cdk-lib/assertions'
import {loadPublishConfig} from '#functions/publish/config.ts'
import {loadRenderConfig} from '#functions/render/config.ts'
import {loadStatusConfig} from '#functions/status/config.ts'
import {emitMetrics} from '#functions/status/emit-metrics.ts'
import {loadWebhookConfig} from '#functions/webhook/config.ts'
import {FUNCTION_NAMES} from '#shared/model/access.ts'
import type {ClusterReport} from '#shared/model/cluster-report.ts'
import {limits} from '#shared/model/limits.ts'
import {sweepSchema} from '#shared/model/push-event.ts'
import {roleRights} from './role-rights.ts'
import {type Resource, synthesiseBridge} from './synthesise-bridge.ts'

const repositories = [
  {url: 'https://github.com/example/fleet.git'},
  {url: 'https://git.example.com/team.git', ref: 'main'},
]
const synthesised = synthesiseBridge({
  repositories,
  alarmTopicArn: 'arn:aws:sns:eu-west-1:123456789012:alarms',
  gitTokenSecret: 'git-token',
  gitTokens: [{prefix: 'https://gitlab.example/team', secret: 'gitlab-token'}],
  gitPrivateNetworks: ['10.1.0.0/16'],
  desiredTtlSeconds: 86_400,
})
after(() => synthesised[Symbol.dispose]())
const {bridge} = synthesised
const {template} = bridge

function resourcesOf(type: string): [string, Resource][] {
  const found = Object.entries(bridge.resources).filter(([, {Type}]) => Type === type)
  assert.notEqual(found.length, 0, `the template has no ${type}`)
  return found
}

function theOne(type: string, idPrefix: string): [string, Resource] {
  const found = resourcesOf(type).filter(([id]) => id.startsWith(idPrefix))
  assert.equal(found.length, 1, `expected one ${type} ${idPrefix}…`)
  return found[0] ?? assert.fail()
}

const bucket = `${theOne('AWS::S3::Bucket', 'Bundles')[0]}.Arn`
const key = `${theOne('AWS::KMS::Key', 'SigningKey')[0]}.Arn`
const queue = (idPrefix: string) => `${theOne('AWS::SQS::Queue', idPrefix)[0]}.Arn`
const rights = {
  webhook: roleRights(bridge, 'WebhookRole'),
  render: roleRights(bridge, 'RenderRole'),
  publish: roleRights(bridge, 'PublishRole'),
  status: roleRights(bridge, 'StatusRole'),
}
const create = {'s3:if-none-match': '*'}
const replace = {'s3:if-match': '"etag"'}

const base = ['logs:CreateLogStream', 'logs:PutLogEvents']
const consume = [
  'sqs:ChangeMessageVisibility',
  'sqs:DeleteMessage',
  'sqs:GetQueueAttributes',
  'sqs:GetQueueUrl',
  'sqs:ReceiveMessage',
]
const secret = ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue']
const store = ['s3:GetObject', 's3:ListBucket', 's3:PutObject']

test('lets each function do what is listed here and no more', () => {
  assert.deepEqual(rights.webhook.actions, [...base, ...secret, 'sqs:SendMessage'].sort())
  assert.deepEqual(rights.render.actions, [...base, ...secret, ...store, ...consume, 'sqs:SendMessage'].sort())
  assert.deepEqual(
    rights.publish.actions,
    [...base, ...secret, ...store, ...consume, 'sqs:SendMessage', 'kms:GetPublicKey', 'kms:Sign'].sort(),
  )
  assert.deepEqual(rights.status.actions, [...base, ...secret, ...store, ...consume, 'sqs:SendMessage'].sort())
})

test('gives no role a wildcard for an action, a service or every resource', () => {
  for (const {actions, resources} of Object.values(rights)) {
    assert.ok(actions.every((action) => !action.includes('*')))
    assert.ok(resources.every((resource) => resource !== '*' && resource !== `${bucket}/*`))
  }
  template.resourcePropertiesCountIs('AWS::IAM::Role', {ManagedPolicyArns: Match.anyValue()}, 0)
})

test('lets render add bundles, and neither replace one nor write anything else', () => {
  const {may} = rights.render
  assert.ok(may('s3:PutObject', `${bucket}/bundles/abc.ndjson.gz`, create))
  assert.ok(!may('s3:PutObject', `${bucket}/bundles/abc.ndjson.gz`))
  assert.ok(!may('s3:PutObject', `${bucket}/bundles/abc.ndjson.gz`, replace))
  for (const other of [
    'clusters/a/desired',
    'clusters/a/report',
    'attestations/abc',
    'status/a',
    'history/a/b/c',
    'x',
  ]) {
    assert.ok(!may('s3:PutObject', `${bucket}/${other}`, create), other)
  }
  assert.ok(may('s3:GetObject', `${bucket}/clusters/a/desired`))
  assert.ok(!may('s3:GetObject', `${bucket}/clusters/a/report`))
})

test('keeps the signing key to publish, and to one algorithm', () => {
  const byAlgorithm = {'kms:SigningAlgorithm': 'ECDSA_SHA_256'}
  assert.ok(rights.publish.may('kms:Sign', key, byAlgorithm))
  assert.ok(!rights.publish.may('kms:Sign', key, {'kms:SigningAlgorithm': 'ECDSA_SHA_384'}))
  assert.ok(rights.publish.may('kms:GetPublicKey', key))
  for (const name of ['webhook', 'render', 'status'] as const) {
    assert.ok(rights[name].actions.every((action) => !action.startsWith('kms:')))
  }
})

test('lets publish swap desired states and attestations, and write no bundle and no report', () => {
  const {may} = rights.publish
  assert.ok(may('s3:PutObject', `${bucket}/clusters/a/desired`, create))
  assert.ok(may('s3:PutObject', `${bucket}/clusters/a/desired`, replace))
  assert.ok(!may('s3:PutObject', `${bucket}/clusters/a/desired`))
  assert.ok(may('s3:PutObject', `${bucket}/attestations/abc`, create))
  assert.ok(may('s3:PutObject', `${bucket}/attestations/abc`, replace))
  assert.ok(!may('s3:PutObject', `${bucket}/attestations/abc`))
  for (const other of ['bundles/abc.ndjson.gz', 'clusters/a/report', 'status/a', 'history/a/b/c']) {
    assert.ok(!may('s3:PutObject', `${bucket}/${other}`, create), other)
  }
})

test('lets status swap statuses and add to the history, and write nothing that a cluster reads', () => {
  const {may} = rights.status
  assert.ok(may('s3:PutObject', `${bucket}/status/a`, replace))
  assert.ok(may('s3:PutObject', `${bucket}/history/a/b/c`, create))
  assert.ok(!may('s3:PutObject', `${bucket}/history/a/b/c`, replace))
  assert.ok(!may('s3:PutObject', `${bucket}/status/a`))
  assert.ok(may('s3:GetObject', `${bucket}/clusters/a/report`))
  for (const other of ['bundles/abc.ndjson.gz', 'attestations/abc', 'clusters/a/desired', 'clusters/a/report']) {
    assert.ok(!may('s3:PutObject', `${bucket}/${other}`, create), other)
  }
})

test('lets no function delete an object, and webhook touch none', () => {
  for (const {actions} of Object.values(rights)) assert.ok(actions.every((action) => !action.startsWith('s3:Delete')))
  assert.ok(rights.webhook.actions.every((action) => !action.startsWith('s3:')))
})

test('lets each function send to the queues that follow it, render to its own too, and to no other', () => {
  const all = {
    render: queue('QueuesRenderQueue'),
    publish: queue('QueuesPublishQueue'),
    status: queue('QueuesStatusQueue'),
    outcome: queue('QueuesOutcomeQueue'),
    renderDead: queue('QueuesRenderDeadLetters'),
    publishDead: queue('QueuesPublishDeadLetters'),
    statusDead: queue('QueuesStatusDeadLetters'),
    outcomeDead: queue('QueuesOutcomeDeadLetters'),
    cluster: 'arn:aws:sqs:eu-west-1:123456789012:Drawbridge-cluster-staging',
    foreign: 'arn:aws:sqs:eu-west-1:123456789012:payments',
  }
  const mayReach = (name: keyof typeof rights) =>
    Object.entries(all).flatMap(([to, arn]) => (rights[name].may('sqs:SendMessage', arn) ? [to] : []))
  assert.deepEqual(mayReach('webhook'), ['render'])
  assert.deepEqual(mayReach('render'), ['render', 'publish', 'outcome', 'renderDead'])
  assert.deepEqual(mayReach('publish'), ['status', 'outcome', 'publishDead', 'cluster'])
  assert.deepEqual(mayReach('status'), ['statusDead'])
})

test('keeps a message invisible for at least six timeouts of the function that reads it', () => {
  const sources = resourcesOf('AWS::Lambda::EventSourceMapping')
  assert.equal(sources.length, 4)
  for (const [id, {Properties}] of sources) {
    const source = bridge.resources[String(bridge.resolve(Properties.EventSourceArn)).replace('.Arn', '')]
    const reader = bridge.resources[String(bridge.resolve(Properties.FunctionName))]
    assert.ok(Number(source?.Properties.VisibilityTimeout) >= 6 * Number(reader?.Properties.Timeout), id)
    assert.deepEqual(Properties.FunctionResponseTypes, ['ReportBatchItemFailures'])
    assert.deepEqual(Object.keys(Object(Properties.ScalingConfig)), ['MaximumConcurrency'])
  }
})

test('gives every work queue a dead-letter queue, encryption and a TLS-only policy', () => {
  const dead = new Set<string>()
  for (const [id, {Properties}] of resourcesOf('AWS::SQS::Queue')) {
    assert.equal(Properties.SqsManagedSseEnabled, true, id)
    if (Properties.RedrivePolicy === undefined) assert.match(id, /DeadLetters/)
    else dead.add(String(Object(bridge.resolve(Properties.RedrivePolicy)).deadLetterTargetArn))
    template.hasResourceProperties('AWS::SQS::QueuePolicy', {
      Queues: [{Ref: id}],
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({Effect: 'Deny', Action: 'sqs:*', Condition: {Bool: {'aws:SecureTransport': 'false'}}}),
        ]),
      },
    })
  }
  assert.equal(dead.size, 4)
})

test('runs on nodejs24.x and arm64, without layers', () => {
  for (const [, {Properties}] of resourcesOf('AWS::Lambda::Function')) {
    assert.equal(Properties.Runtime, 'nodejs24.x')
    assert.equal(Properties.Handler, 'index.handler')
    assert.deepEqual(Properties.Architectures, ['arm64'])
    assert.equal(Properties.Layers, undefined)
  }
  template.resourceCountIs('AWS::Lambda::Function', FUNCTION_NAMES.length)
  template.resourceCountIs('AWS::Lambda::LayerVersion', 0)
})

test('gives render the memory that two threads may take at most, with room for all else', () => {
  const [, {Properties}] = theOne('AWS::Lambda::Function', 'Render')
  const threadMiB = limits.renderWasmMemoryBytes / 1024 / 1024 + limits.renderHeapMebibytes
  const restMiB = Number(Properties.MemorySize) - 2 * threadMiB
  assert.ok(restMiB >= 448, `${restMiB} MiB are left`)
})

test('keeps bucket and key when the stack goes', () => {
  const kept = [...resourcesOf('AWS::S3::Bucket'), ...resourcesOf('AWS::KMS::Key')]
  for (const [id, {DeletionPolicy, UpdateReplacePolicy}] of kept) {
    assert.deepEqual([DeletionPolicy, UpdateReplacePolicy], ['Retain', 'Retain'], id)
  }
})

test('closes the bucket to the public, to plain HTTP, to ACLs and to overwritten bundles', () => {
  template.hasResourceProperties('AWS::S3::Bucket', {
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    },
    OwnershipControls: {Rules: [{ObjectOwnership: 'BucketOwnerEnforced'}]},
    VersioningConfiguration: {Status: 'Enabled'},
    LifecycleConfiguration: {
      Rules: [
        Match.objectLike({NoncurrentVersionExpiration: {NoncurrentDays: 90}}),
        Match.objectLike({AbortIncompleteMultipartUpload: {DaysAfterInitiation: 7}}),
      ],
    },
  })
  const [, {Properties}] = theOne('AWS::S3::BucketPolicy', 'Bundles')
  const {Statement: statements} = Object(bridge.resolve(Properties.PolicyDocument))
  assert.ok(statements.every(({Effect}: {Effect: string}) => Effect === 'Deny'))
  const createOnly = statements.find(({Sid}: {Sid?: string}) => Sid === 'CreateOnly')
  assert.equal(createOnly.Resource, `${bucket}/bundles/*`)
  assert.deepEqual(createOnly.Condition.Null, {'s3:if-none-match': 'true'})
  const plainHttp = statements.find(({Action}: {Action: unknown}) => Action === 's3:*')
  assert.deepEqual(plainHttp.Condition, {Bool: {'aws:SecureTransport': 'false'}})
})

test('signs with an ECC_NIST_P256 key that can do nothing else', () => {
  template.hasResourceProperties('AWS::KMS::Key', {KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY'})
  template.resourceCountIs('AWS::KMS::Key', 1)
})

test('opens the webhook and no other function to the internet', () => {
  const [id] = theOne('AWS::Lambda::Function', 'Webhook')
  template.resourceCountIs('AWS::Lambda::Url', 1)
  template.hasResourceProperties('AWS::Lambda::Url', {
    AuthType: 'NONE',
    TargetFunctionArn: {'Fn::GetAtt': [id, 'Arn']},
  })
  template.allResourcesProperties('AWS::Lambda::Permission', {FunctionName: {'Fn::GetAtt': [id, 'Arn']}})
  template.hasResourceProperties('AWS::Lambda::Function', {
    Description: 'Drawbridge: webhook',
    ReservedConcurrentExecutions: 10,
  })
})

test('sends a sweep that render can read, to the render queue', () => {
  const [, {Properties}] = theOne('AWS::Events::Rule', 'Sweep')
  const [target, ...more] = [Object(bridge.resolve(Properties)).Targets].flat()
  assert.equal(more.length, 0)
  assert.equal(target.Arn, queue('QueuesRenderQueue'))
  assert.equal(sweepSchema.parse(JSON.parse(target.Input)).kind, 'Sweep')
  assert.equal(Properties.ScheduleExpression, 'rate(10 minutes)')
})

test('raises alarms on two of three datapoints, never for missing ones, and tells the topic', () => {
  const alarms = resourcesOf('AWS::CloudWatch::Alarm')
  for (const [, {Properties}] of alarms) {
    assert.equal(Properties.EvaluationPeriods, 3)
    assert.equal(Properties.DatapointsToAlarm, 2)
    assert.equal(Properties.TreatMissingData, 'notBreaching')
    assert.equal(Properties.ComparisonOperator, 'GreaterThanThreshold')
    assert.deepEqual(Properties.AlarmActions, ['arn:aws:sns:eu-west-1:123456789012:alarms'])
  }
  const per = (suffix: string) => alarms.filter(([id]) => new RegExp(`${suffix}[0-9A-F]{8}$`).test(id)).length
  const kinds = ['deadletters', 'age', 'errors', 'duration', 'throttles', 'staleclusters']
  assert.deepEqual(kinds.map(per), [4, 4, 4, 4, 4, 1])
})

test('keeps logs for a month and writes to its own log group alone', () => {
  for (const [, {Properties}] of resourcesOf('AWS::Logs::LogGroup')) assert.equal(Properties.RetentionInDays, 30)
  for (const [id] of resourcesOf('AWS::Logs::LogGroup')) {
    const writers = Object.entries(rights).filter(([, {may}]) => may('logs:PutLogEvents', `${id}.Arn`))
    assert.equal(writers.length, 1, id)
  }
})

test('names in its outputs what has to be known after a deployment', () => {
  for (const name of ['WebhookUrl', 'WebhookSecretArn', 'BucketName', 'SigningKeyArn', 'RenderQueueArn']) {
    template.hasOutput(name, {})
  }
})

test('gives every function the environment that its configuration asks for', () => {
  const environment = (prefix: string): Record<string, string> =>
    Object(bridge.resolve(theOne('AWS::Lambda::Function', prefix)[1].Properties.Environment)).Variables
  const urlOf = (idPrefix: string) =>
    `https://sqs.eu-west-1.amazonaws.com/123456789012/${queue(idPrefix).replace('.Arn', '')}`

  assert.equal(loadWebhookConfig(environment('Webhook')).renderQueueUrl, urlOf('QueuesRenderQueue'))
  const publish = loadPublishConfig(environment('Publish'))
  assert.equal(publish.clusterQueuePrefix, 'Drawbridge-cluster-')
  assert.equal(publish.deadLetterQueueUrl, urlOf('QueuesPublishDeadLetters'))
  assert.equal(publish.publish.desiredTtlSeconds, 86_400)
  assert.deepEqual(publish.publish.repositories, repositories)
  assert.deepEqual(
    publish.git.tokens.map(({prefix, secretArn}) => [prefix, secretArn.split(':').at(-1)]),
    [
      ['https://github.com/example', 'git-token'],
      ['https://gitlab.example/team', 'gitlab-token'],
    ],
  )
  assert.deepEqual(publish.git.privateNetworks, ['10.1.0.0/16'])
  const render = loadRenderConfig(environment('Render'))
  assert.deepEqual(render.repositories, repositories)
  assert.equal(render.renderQueueUrl, urlOf('QueuesRenderQueue'))
  // An app that is begun at the end of it may take as long as a render may, and must end before the function does.
  assert.ok((render.timeBudgetSeconds ?? 0) > 0)
  assert.ok((render.timeBudgetSeconds ?? 0) + limits.renderTimeoutSeconds < 300)
  const status = loadStatusConfig(environment('Status'))
  assert.equal(status.outcomeQueueArn, queue('QueuesOutcomeQueue'))
  assert.equal(status.bucket, bucket.replace('.Arn', ''))
})

test('watches stale clusters by the metric that status writes', () => {
  const lines: string[] = []
  const at = '2026-01-01T00:00:00.000Z'
  const report: ClusterReport = {
    apiVersion: 'drawbridge.dev/v1alpha1',
    kind: 'ClusterReport',
    cluster: 'a',
    at,
    agent: {version: '1', instance: 'i'},
    desired: {version: 1, state: 'stale', since: at},
    apps: [],
    events: [],
  }
  emitMetrics((line) => lines.push(line), report, [], new Date(at))
  const written = JSON.parse(lines.at(-1) ?? '')
  const [definition] = written._aws.CloudWatchMetrics
  const [, {Properties}] = theOne('AWS::CloudWatch::Alarm', 'Alarmsstaleclusters')
  assert.equal(Properties.Namespace, definition.Namespace)
  assert.equal(Properties.Dimensions, undefined)
  assert.deepEqual(definition.Dimensions, [[]])
  assert.ok(written[String(Properties.MetricName)] > Number(Properties.Threshold))
})
