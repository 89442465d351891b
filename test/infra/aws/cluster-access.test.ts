import assert from 'node:assert/strict'
import {after, test} from 'node:test'
import {App, Stack} from 'aws-cdk-lib'
import {AccountRootPrincipal} from 'aws-cdk-lib/aws-iam'
import {Bucket} from 'aws-cdk-lib/aws-s3'
import {Queue} from 'aws-cdk-lib/aws-sqs'
import {BridgeConfigError} from '#infra/aws/bridge-config-error.ts'
import {ClusterAccess} from '#infra/aws/cluster-access.ts'
import {roleRights} from './role-rights.ts'
import {synthesiseBridge} from './synthesise-bridge.ts'

const providerArn = 'arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC'
const synthesised = synthesiseBridge({
  repositories: [{url: 'https://github.com/example/fleet.git'}],
  clusters: [
    {name: 'a', identity: {kind: 'pod-identity', eksCluster: 'a-on-eks'}},
    {name: 'b', identity: {kind: 'irsa', providerArn, serviceAccount: 'puller'}},
    {name: 'c', identity: {kind: 'principal', arn: 'arn:aws:iam::210987654321:role/node'}},
    {name: 'd'},
  ],
})
after(() => synthesised[Symbol.dispose]())

function cluster(name: string) {
  return synthesised.clusters[`Drawbridge-cluster-${name}`] ?? assert.fail(`no stack of cluster ${name}`)
}

function idOf(type: string, prefix: string): string {
  const ids = Object.entries(synthesised.bridge.resources).flatMap(([id, {Type}]) => (Type === type ? [id] : []))
  return ids.find((id) => id.startsWith(prefix)) ?? assert.fail(`no ${type} ${prefix}…`)
}

function trustOf(name: string): unknown {
  const [role, ...more] = Object.values(cluster(name).resources).filter(({Type}) => Type === 'AWS::IAM::Role')
  assert.equal(more.length, 0)
  return Object(cluster(name).resolve(role?.Properties.AssumeRolePolicyDocument)).Statement
}

const bucket = `${idOf('AWS::S3::Bucket', 'Bundles')}.Arn`
const statusQueue = `${idOf('AWS::SQS::Queue', 'QueuesStatusQueue')}.Arn`

test('lets a cluster do what is listed here and no more', () => {
  const {actions, resources} = roleRights(cluster('a'), 'AccessRole')
  assert.deepEqual(actions, [
    's3:GetObject',
    's3:PutObject',
    'sqs:ChangeMessageVisibility',
    'sqs:DeleteMessage',
    'sqs:GetQueueAttributes',
    'sqs:ReceiveMessage',
    'sqs:SendMessage',
  ])
  assert.deepEqual(
    resources.filter((resource) => resource.includes('*')),
    [`${bucket}/attestations/*`, `${bucket}/bundles/*`],
  )
})

test('lets a cluster read its own desired state and write its own report', () => {
  const {may} = roleRights(cluster('a'), 'AccessRole')
  assert.ok(may('s3:GetObject', `${bucket}/clusters/a/desired`))
  assert.ok(may('s3:PutObject', `${bucket}/clusters/a/report`))
  assert.ok(may('s3:GetObject', `${bucket}/bundles/abc.ndjson.gz`))
  assert.ok(may('s3:GetObject', `${bucket}/attestations/abc`))
})

test("keeps a cluster from every other cluster's keys, and from writing what it is to believe", () => {
  const {may} = roleRights(cluster('a'), 'AccessRole')
  for (const key of ['clusters/b/desired', 'clusters/b/report', 'clusters/ab/report', 'status/a', 'history/a/x/y']) {
    for (const action of ['s3:GetObject', 's3:PutObject'])
      assert.ok(!may(action, `${bucket}/${key}`), `${action} ${key}`)
  }
  for (const key of ['clusters/a/desired', 'bundles/abc.ndjson.gz', 'attestations/abc']) {
    assert.ok(!may('s3:PutObject', `${bucket}/${key}`, {'s3:if-none-match': '*'}), key)
  }
})

test('lets a cluster receive from its own queue and send hints to status, and to nobody else', () => {
  const {may} = roleRights(cluster('a'), 'AccessRole')
  const own = Object.keys(cluster('a').resources).find((id) => cluster('a').resources[id]?.Type === 'AWS::SQS::Queue')
  assert.ok(may('sqs:ReceiveMessage', `${own}.Arn`))
  assert.ok(!may('sqs:SendMessage', `${own}.Arn`))
  assert.ok(may('sqs:SendMessage', statusQueue))
  assert.ok(!may('sqs:ReceiveMessage', statusQueue))
  for (const other of ['QueuesRenderQueue', 'QueuesPublishQueue', 'QueuesOutcomeQueue', 'QueuesStatusDeadLetters']) {
    assert.ok(!may('sqs:SendMessage', `${idOf('AWS::SQS::Queue', other)}.Arn`), other)
  }
  assert.ok(!may('sqs:ReceiveMessage', 'arn:aws:sqs:eu-west-1:123456789012:Drawbridge-cluster-b'))
})

test('names the queue as publish looks for it', () => {
  cluster('a').template.hasResourceProperties('AWS::SQS::Queue', {
    QueueName: 'Drawbridge-cluster-a',
    SqsManagedSseEnabled: true,
  })
})

test('trusts EKS Pod Identity for one service account of one EKS cluster, and associates it', () => {
  assert.deepEqual(trustOf('a'), [
    {
      Effect: 'Allow',
      Action: ['sts:AssumeRole', 'sts:TagSession'],
      Principal: {Service: 'pods.eks.amazonaws.com'},
      Condition: {
        StringEquals: {
          'aws:SourceAccount': '123456789012',
          'aws:RequestTag/kubernetes-namespace': 'drawbridge-system',
          'aws:RequestTag/kubernetes-service-account': 'drawbridge-agent',
          'aws:RequestTag/eks-cluster-name': 'a-on-eks',
        },
      },
    },
  ])
  cluster('a').template.hasResourceProperties('AWS::EKS::PodIdentityAssociation', {
    ClusterName: 'a-on-eks',
    Namespace: 'drawbridge-system',
    ServiceAccount: 'drawbridge-agent',
  })
})

test('leaves the association to others where no EKS cluster is named', () => {
  cluster('d').template.resourceCountIs('AWS::EKS::PodIdentityAssociation', 0)
  assert.deepEqual(Object(trustOf('d'))[0].Principal, {Service: 'pods.eks.amazonaws.com'})
})

test('trusts an OIDC provider for one service account', () => {
  assert.deepEqual(trustOf('b'), [
    {
      Effect: 'Allow',
      Action: 'sts:AssumeRoleWithWebIdentity',
      Principal: {Federated: providerArn},
      Condition: {
        StringEquals: {
          'oidc.eks.eu-west-1.amazonaws.com/id/ABC:aud': 'sts.amazonaws.com',
          'oidc.eks.eu-west-1.amazonaws.com/id/ABC:sub': 'system:serviceaccount:drawbridge-system:puller',
        },
      },
    },
  ])
})

test('trusts a role of another account by its ARN', () => {
  assert.deepEqual(trustOf('c'), [
    {Effect: 'Allow', Action: 'sts:AssumeRole', Principal: {AWS: 'arn:aws:iam::210987654321:role/node'}},
  ])
})

test('takes a principal as it is, and no name that is not one of a cluster', () => {
  const stack = new Stack(new App(), 'Mine')
  const props = {
    bucket: new Bucket(stack, 'Bucket'),
    statusQueue: new Queue(stack, 'Status'),
    queuePrefix: 'mine-',
    identity: new AccountRootPrincipal(),
  }
  const {role} = new ClusterAccess(stack, 'Good', {...props, cluster: 'a'})
  assert.deepEqual(role.assumeRolePolicy?.toJSON().Statement[0].Action, 'sts:AssumeRole')
  assert.throws(
    () => new ClusterAccess(stack, 'Bad', {...props, cluster: '*'}),
    (error) =>
      error instanceof BridgeConfigError &&
      error.message === 'got "*" as the name of a cluster; expected an RFC 1123 label',
  )
})
