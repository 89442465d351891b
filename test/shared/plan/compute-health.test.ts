import assert from 'node:assert/strict'
import {describe, test} from 'node:test'
import fc from 'fast-check'
import {HEALTH, type Health} from '#shared/model/cluster-report.ts'
import {isJsonObject, type JsonObject} from '#shared/model/manifest.ts'
import {computeHealth} from '#shared/plan/compute-health.ts'

interface Case {
  name: string
  object: JsonObject
  health: Health
  reason: RegExp
}

function workload(kind: string, spec: JsonObject, status: JsonObject, generation = 2): JsonObject {
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: {name: 'web', namespace: 'web', generation},
    spec,
    status: {observedGeneration: 2, ...status},
  }
}

function object(apiVersion: string, kind: string, rest: JsonObject): JsonObject {
  return {apiVersion, kind, metadata: {name: 'web'}, ...rest}
}

function condition(type: string, status: string, reason = '', message = ''): JsonObject {
  return {type, status, reason, message}
}

const rolledOut = [condition('Progressing', 'True', 'NewReplicaSetAvailable'), condition('Available', 'True')]
const three = {replicas: 3, progressDeadlineSeconds: 600}
const allThere = {replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3}

const workloads: Case[] = [
  {
    name: 'a Deployment with every replica available',
    object: workload('Deployment', three, {...allThere, conditions: rolledOut}),
    health: 'Current',
    reason: /^3 of 3 replicas available$/,
  },
  {
    name: 'a Deployment that its controller has not seen yet',
    object: workload('Deployment', three, {...allThere, conditions: rolledOut}, 3),
    health: 'InProgress',
    reason: /generation 2, the object is at 3/,
  },
  {
    name: 'a Deployment without a status, even of no replicas',
    object: {...workload('Deployment', {replicas: 0}, {}), status: {}},
    health: 'InProgress',
    reason: /not seen it/,
  },
  {
    name: 'a Deployment whose quota is used up',
    object: workload('Deployment', three, {
      conditions: [condition('ReplicaFailure', 'True', 'FailedCreate', 'exceeded quota: pods=2')],
    }),
    health: 'InProgress',
    reason: /0 of 3 replicas created; FailedCreate: exceeded quota/,
  },
  {
    name: 'a Deployment that ran out of time',
    object: workload('Deployment', three, {
      ...allThere,
      conditions: [condition('Progressing', 'False', 'ProgressDeadlineExceeded', 'ReplicaSet "web-1" has timed out')],
    }),
    health: 'Failed',
    reason: /no progress in time.*web-1/,
  },
  {
    name: 'a Deployment with old replicas left',
    object: workload('Deployment', three, {...allThere, replicas: 4, conditions: rolledOut}),
    health: 'InProgress',
    reason: /1 replicas more than wanted/,
  },
  {
    name: 'a Deployment that waits for two replicas',
    object: workload('Deployment', three, {...allThere, availableReplicas: 1, conditions: rolledOut}),
    health: 'InProgress',
    reason: /^1 of 3 replicas available$/,
  },
  {
    name: 'a paused Deployment that is not through',
    object: workload('Deployment', {...three, paused: true}, {...allThere, updatedReplicas: 1, conditions: rolledOut}),
    health: 'InProgress',
    reason: /1 of 3 replicas updated.*paused/,
  },
  {
    name: 'a ReplicaSet that cannot create pods',
    object: workload(
      'ReplicaSet',
      {replicas: 1},
      {
        conditions: [condition('ReplicaFailure', 'True', 'FailedCreate', 'denied by a webhook')],
      },
    ),
    health: 'InProgress',
    reason: /denied by a webhook/,
  },
  {
    name: 'a StatefulSet in the middle of a rollout',
    object: workload(
      'StatefulSet',
      {replicas: 2},
      {
        replicas: 2,
        readyReplicas: 2,
        currentReplicas: 2,
        updatedReplicas: 1,
        currentRevision: 'a',
        updateRevision: 'b',
      },
    ),
    health: 'InProgress',
    reason: /not through/,
  },
  {
    name: 'a StatefulSet updated as far as its partition',
    object: workload(
      'StatefulSet',
      {replicas: 3, updateStrategy: {rollingUpdate: {partition: 2}}},
      {replicas: 3, readyReplicas: 3, updatedReplicas: 1, currentRevision: 'a', updateRevision: 'b'},
    ),
    health: 'Current',
    reason: /3 of 3/,
  },
  {
    name: 'a StatefulSet short of its partition',
    object: workload(
      'StatefulSet',
      {replicas: 3, updateStrategy: {rollingUpdate: {partition: 1}}},
      {replicas: 3, readyReplicas: 3, updatedReplicas: 1},
    ),
    health: 'InProgress',
    reason: /1 of 2 replicas updated/,
  },
  {
    name: 'a StatefulSet whose pods the user deletes',
    object: workload('StatefulSet', {replicas: 3, updateStrategy: {type: 'OnDelete'}}, {}),
    health: 'Current',
    reason: /OnDelete/,
  },
  {
    name: 'a DaemonSet that is on two of four nodes',
    object: workload('DaemonSet', {}, {desiredNumberScheduled: 4, currentNumberScheduled: 2}),
    health: 'InProgress',
    reason: /2 of 4 nodes/,
  },
  {
    name: 'a DaemonSet of no node',
    object: workload('DaemonSet', {}, {desiredNumberScheduled: 0}),
    health: 'Current',
    reason: /0 of 0/,
  },
]

const waiting = (reason: string, message: string): JsonObject => ({
  name: 'app',
  restartCount: 7,
  state: {waiting: {reason, message}},
  lastState: {terminated: {exitCode: 137, reason: 'OOMKilled'}},
})
const pod = (status: JsonObject): JsonObject => object('v1', 'Pod', {status})

const pods: Case[] = [
  {
    name: 'a pod that cannot pull its image',
    object: pod({phase: 'Pending', containerStatuses: [waiting('ImagePullBackOff', 'no such image: web:9')]}),
    health: 'InProgress',
    reason: /container app: ImagePullBackOff: no such image: web:9/,
  },
  {
    name: 'a pod in a crash loop',
    object: pod({phase: 'Running', containerStatuses: [waiting('CrashLoopBackOff', 'back-off')]}),
    health: 'Failed',
    reason: /container app.*7 restarts.*exit code 137.*OOMKilled/,
  },
  {
    name: 'a pod whose init container is in a crash loop',
    object: pod({phase: 'Pending', initContainerStatuses: [waiting('CrashLoopBackOff', 'back-off')]}),
    health: 'Failed',
    reason: /crash loop/,
  },
  {
    name: 'a pod that fits on no node',
    object: pod({
      phase: 'Pending',
      conditions: [condition('PodScheduled', 'False', 'Unschedulable', '0/3 nodes are available: 3 Insufficient cpu.')],
    }),
    health: 'Failed',
    reason: /Insufficient cpu/,
  },
  {
    name: 'a running pod with one unready container',
    object: pod({
      phase: 'Running',
      containerStatuses: [
        {name: 'app', ready: true, state: {running: {}}},
        {name: 'proxy', ready: false, state: {running: {}}},
      ],
    }),
    health: 'InProgress',
    reason: /not ready: proxy$/,
  },
  {name: 'a pod on a lost node', object: pod({phase: 'Unknown'}), health: 'Unknown', reason: /node may be lost/},
  {name: 'an evicted pod', object: pod({phase: 'Failed', reason: 'Evicted'}), health: 'Current', reason: /Evicted/},
]

const others: Case[] = [
  {
    name: 'a job that gave up',
    object: object('batch/v1', 'Job', {
      status: {failed: 3, conditions: [condition('Failed', 'True', 'BackoffLimitExceeded', 'too many retries')]},
    }),
    health: 'Failed',
    reason: /3 failed.*BackoffLimitExceeded/,
  },
  {
    name: 'a job that its spec suspends',
    object: object('batch/v1', 'Job', {spec: {suspend: true}, status: {}}),
    health: 'Current',
    reason: /suspended/,
  },
  {name: 'a job that was not begun', object: object('batch/v1', 'Job', {}), health: 'InProgress', reason: /not begun/},
  {
    name: 'a suspended cron job',
    object: object('batch/v1', 'CronJob', {spec: {suspend: true}}),
    health: 'Current',
    reason: /suspended/,
  },
  {
    name: 'a claim without a volume',
    object: object('v1', 'PersistentVolumeClaim', {spec: {storageClassName: 'fast'}, status: {phase: 'Pending'}}),
    health: 'InProgress',
    reason: /Pending, storage class fast/,
  },
  {
    name: 'a load balancer with an address',
    object: object('v1', 'Service', {
      spec: {type: 'LoadBalancer', clusterIP: '10.0.0.1'},
      status: {loadBalancer: {ingress: [{hostname: 'web.example'}]}},
    }),
    health: 'Current',
    reason: /web\.example/,
  },
  {
    name: 'an ingress without an address',
    object: object('networking.k8s.io/v1', 'Ingress', {}),
    health: 'Current',
    reason: /no outer address/,
  },
  {
    name: 'a definition whose names are taken',
    object: object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', {
      status: {conditions: [condition('NamesAccepted', 'False', 'PluralConflict', '"webs" is already in use')]},
    }),
    health: 'Failed',
    reason: /already in use/,
  },
  {
    name: 'an aggregated API that does not answer',
    object: object('apiregistration.k8s.io/v1', 'APIService', {
      status: {conditions: [condition('Available', 'False', 'MissingEndpoints', 'no endpoints')]},
    }),
    health: 'InProgress',
    reason: /no endpoints/,
  },
  {
    name: 'a namespace that cannot be emptied',
    object: object('v1', 'Namespace', {
      status: {
        phase: 'Terminating',
        conditions: [condition('NamespaceFinalizersRemaining', 'True', 'SomeFinalizersRemain', 'x in 1 resource')],
      },
    }),
    health: 'Terminating',
    reason: /x in 1 resource/,
  },
  {
    name: 'an autoscaler without metrics',
    object: object('autoscaling/v2', 'HorizontalPodAutoscaler', {
      status: {conditions: [condition('ScalingActive', 'False', 'FailedGetResourceMetric', 'no metrics')]},
    }),
    health: 'InProgress',
    reason: /no metrics/,
  },
  {
    name: 'an autoscaler of a workload that is scaled to zero',
    object: object('autoscaling/v2', 'HorizontalPodAutoscaler', {
      status: {conditions: [condition('ScalingActive', 'False', 'ScalingDisabled')]},
    }),
    health: 'Current',
    reason: /0 replicas/,
  },
  {
    name: 'an object that is being deleted',
    object: object('v1', 'ConfigMap', {
      metadata: {name: 'a', deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['example.com/hold']},
    }),
    health: 'Terminating',
    reason: /waits for example\.com\/hold/,
  },
  {name: 'a config map', object: object('v1', 'ConfigMap', {data: {a: 'b'}}), health: 'Current', reason: /there/},
]

const custom = (status: JsonObject): JsonObject => object('example.com/v1', 'Widget', {spec: {}, status})
const generic: Case[] = [
  {
    name: 'a custom resource that is ready',
    object: custom({conditions: [condition('Ready', 'True', 'Done', 'all is well')]}),
    health: 'Current',
    reason: /^Done: all is well$/,
  },
  {
    name: 'one whose readiness is of an older generation',
    object: {
      ...custom({conditions: [{...condition('Ready', 'True'), observedGeneration: 1}]}),
      metadata: {name: 'web', generation: 2},
    },
    health: 'InProgress',
    reason: /generation 1/,
  },
  {
    name: 'one that works on it',
    object: custom({conditions: [condition('Ready', 'False', 'Creating', 'waiting for the database')]}),
    health: 'InProgress',
    reason: /waiting for the database/,
  },
  {
    name: 'one that failed',
    object: custom({conditions: [condition('Ready', 'False', 'CreateFailed', 'no such zone')]}),
    health: 'Failed',
    reason: /no such zone/,
  },
  {
    name: 'one that says that it is not ready, and why for good',
    object: custom({conditions: [condition('NotReady', 'True', 'InvalidResourceException', 'no listener')]}),
    health: 'Failed',
    reason: /no listener/,
  },
  {
    name: 'one that calls its condition an error',
    object: custom({conditions: [{...condition('Ready', 'False', '', '7 of 10 completed'), severity: 'Error'}]}),
    health: 'Failed',
    reason: /7 of 10/,
  },
  {
    name: 'one that is stalled',
    object: custom({conditions: [condition('Reconciling', 'True'), condition('Stalled', 'True', 'BadSpec')]}),
    health: 'Failed',
    reason: /BadSpec/,
  },
  {
    name: 'one with a condition that is bad news',
    object: custom({conditions: [condition('Available', 'True'), condition('InvalidSpec', 'True', '', 'two owners')]}),
    health: 'Failed',
    reason: /two owners/,
  },
  {
    name: 'one whose bad news is not true',
    object: custom({conditions: [condition('Degraded', 'False', 'NoErrors', 'no error found')]}),
    health: 'Current',
    reason: /./,
  },
  {
    name: 'a route that one of its parents refuses',
    object: custom({parents: [{conditions: [condition('Accepted', 'False', 'InvalidKind', 'not a route')]}]}),
    health: 'Failed',
    reason: /not a route/,
  },
  {
    name: 'one whose phase is a failure',
    object: custom({phase: 'Failed', message: 'disk is gone'}),
    health: 'Failed',
    reason: /phase is Failed: disk is gone/,
  },
  {
    name: 'one whose phase is work',
    object: custom({state: 'Provisioning'}),
    health: 'InProgress',
    reason: /Provisioning/,
  },
  {
    name: 'one with fewer replicas than it wants',
    object: custom({replicas: 3, readyReplicas: 1}),
    health: 'InProgress',
    reason: /1 of 3 replicas ready/,
  },
  {
    name: 'one without a status',
    object: object('example.com/v1', 'Widget', {spec: {size: 1}}),
    health: 'Current',
    reason: /./,
  },
  {
    name: 'one whose controller lists no condition yet',
    object: custom({conditions: [], id: 0}),
    health: 'InProgress',
    reason: /reported no conditions/,
  },
  {
    name: 'one whose status is empty',
    object: custom({}),
    health: 'Current',
    reason: /./,
  },
  {
    name: 'one that is ready but cannot be synced',
    object: custom({
      conditions: [condition('Ready', 'False', 'Creating'), condition('Synced', 'False', 'ReconcileError')],
    }),
    health: 'Failed',
    reason: /ReconcileError/,
  },
  {
    name: 'one that refers to what is not there',
    object: custom({conditions: [condition('Ready', 'False', 'SecretNotFound', 'no token')]}),
    health: 'Failed',
    reason: /no token/,
  },
  {
    name: 'one that is suspended before it was done',
    object: {...custom({conditions: [condition('Ready', 'False', 'Waiting')]}), spec: {suspend: true}},
    health: 'Current',
    reason: /^suspended, as its spec asks.*Waiting/,
  },
  {
    name: 'one that is suspended and has failed',
    object: {...custom({phase: 'Failed'}), spec: {suspend: true}},
    health: 'Failed',
    reason: /phase is Failed/,
  },
  {
    name: 'one that one of its controllers refuses',
    object: custom({statuses: {east: {state: 'Accepted'}, west: {state: 'Rejected', reason: 'no such host'}}}),
    health: 'Failed',
    reason: /west state is Rejected: no such host/,
  },
  {
    name: 'one whose last run failed, which is past',
    object: custom({phase: 'Running', lastRunStatus: {state: 'Failed'}}),
    health: 'Current',
    reason: /Running/,
  },
  {
    name: 'one with a rack that is short of nodes',
    object: custom({racks: {a: {nodes: 3, readyNodes: 3}, b: {nodes: 3, readyNodes: 1}}}),
    health: 'InProgress',
    reason: /readyNodes is 1 of 3/,
  },
  {
    name: 'one that writes its counts as a share',
    object: custom({tasksReady: '1/3'}),
    health: 'InProgress',
    reason: /tasksReady is 1\/3/,
  },
  {
    name: 'one that is not ready in capitals',
    object: custom({state: 'DEPLOYED_NOT_READY'}),
    health: 'InProgress',
    reason: /DEPLOYED_NOT_READY/,
  },
  {
    name: 'one that does not comply',
    object: custom({compliant: 'NonCompliant'}),
    health: 'Failed',
    reason: /NonCompliant/,
  },
  {
    name: 'a route whose refusal is of an older generation',
    object: {
      ...custom({
        parents: [
          {conditions: [{...condition('Accepted', 'False', 'Invalid'), observedGeneration: 1}]},
          {conditions: [{...condition('Accepted', 'True'), observedGeneration: 2}]},
        ],
      }),
      metadata: {name: 'web', generation: 2},
    },
    health: 'Current',
    reason: /./,
  },
  {
    name: 'one with a condition of unknown meaning',
    object: custom({conditions: [condition('Paintable', 'False')]}),
    health: 'Current',
    reason: /./,
  },
]

for (const [group, cases] of Object.entries({
  workloads,
  pods,
  'other built-in kinds': others,
  'any other kind': generic,
})) {
  describe(`health of ${group}`, () => {
    for (const {name, object: live, health, reason} of cases) {
      test(`${name} is ${health}`, () => {
        const computed = computeHealth(live)
        assert.equal(computed.health, health, computed.reason)
        assert.match(computed.reason, reason)
      })
    }
  })
}

test('gives the scheduler 15 seconds before it believes that a pod fits nowhere', () => {
  const unschedulable = {
    ...pod({phase: 'Pending', conditions: [condition('PodScheduled', 'False', 'Unschedulable')]}),
    metadata: {name: 'web', creationTimestamp: '2026-01-01T00:00:00Z'},
  }
  assert.equal(computeHealth(unschedulable, {now: new Date('2026-01-01T00:00:14Z')}).health, 'InProgress')
  assert.equal(computeHealth(unschedulable, {now: new Date('2026-01-01T00:00:15Z')}).health, 'Failed')
})

test('keeps a reason short and on one line', () => {
  const {reason} = computeHealth(
    custom({conditions: [condition('Ready', 'False', 'Waiting', `first\nsecond ${'x'.repeat(5000)}`)]}),
  )
  assert.match(reason, /^Waiting: first second x+…$/)
  assert.ok(reason.length <= 500)
})

test('judges whatever a cluster may hold without throwing', () => {
  const kinds = [...workloads, ...pods, ...others, ...generic].map(({object: live}) => live)
  fc.assert(
    fc.property(
      fc.constantFrom(...kinds),
      fc.jsonValue(),
      fc.jsonValue(),
      fc.jsonValue(),
      (live, spec, status, metadata) => {
        const mangled: unknown = JSON.parse(JSON.stringify({...live, spec, status, metadata}))
        const {health, reason} = computeHealth(isJsonObject(mangled) ? mangled : {})
        assert.ok(HEALTH.includes(health))
        assert.notEqual(reason, '')
      },
    ),
    {numRuns: 300},
  )
})
