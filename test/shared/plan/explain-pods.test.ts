import assert from 'node:assert/strict'
import {test} from 'node:test'
import type {JsonObject} from '#shared/model/manifest.ts'
import {explainPods} from '#shared/plan/health/explain-pods.ts'

const waiting = (reason: string, message = '', more: JsonObject = {}): JsonObject => ({
  containerStatuses: [{name: 'web', ready: false, restartCount: 0, state: {waiting: {reason, message}}, ...more}],
})
const exited = {terminated: {reason: 'OOMKilled', exitCode: 137, message: 'out of memory\npassword=hunter2 is missing'}}

for (const [what, status, expected] of [
  [
    'an image pull',
    waiting('ImagePullBackOff', 'Back-off pulling image "web:9"'),
    'container web: ImagePullBackOff: Back-off pulling image "web:9"',
  ],
  [
    'a configuration that is not there',
    waiting('CreateContainerConfigError', 'secret "db" not found'),
    'container web: CreateContainerConfigError: secret "db" not found',
  ],
  [
    'a crash loop, with the last exit and what the container gave as its reason, without secrets',
    waiting('CrashLoopBackOff', 'back-off 5m0s restarting', {lastState: exited}),
    'container web: CrashLoopBackOff: last state: OOMKilled, exit code 137: password=[hidden]',
  ],
  [
    'a container between two crashes',
    {containerStatuses: [{name: 'web', ready: false, restartCount: 3, state: {running: {}}, lastState: exited}]},
    'container web: restarted 3 times, last state: OOMKilled, exit code 137: password=[hidden]',
  ],
  [
    'an init container that failed',
    {initContainerStatuses: [{name: 'migrate', state: {terminated: {reason: 'Error', exitCode: 2}}}]},
    'container migrate: Error, exit code 2',
  ],
  [
    'a pod that cannot be scheduled',
    {
      conditions: [
        {type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes are available'},
      ],
    },
    'Unschedulable: 0/3 nodes are available',
  ],
  ['an evicted pod', {phase: 'Failed', reason: 'Evicted', message: 'low on memory'}, 'Evicted: low on memory'],
  [
    'a command that cannot be run, without its secrets',
    waiting('RunContainerError', 'exec: "/app --password hunter2": no such file'),
    'container web: RunContainerError: exec: "/app --password [hidden] no such file',
  ],
  [
    'a pod that its node refused, without secrets',
    {phase: 'Failed', reason: 'Admission', message: 'cannot mount: password=hunter2'},
    'Admission: cannot mount: password=[hidden]',
  ],
  ['a pod that is only starting', waiting('ContainerCreating'), ''],
  ['a pod that is well', {containerStatuses: [{name: 'web', ready: true, restartCount: 4, lastState: exited}]}, ''],
] as const) {
  test(`explains ${what}`, () => {
    assert.equal(explainPods([{status: status as unknown as JsonObject}]), expected)
  })
}

test('tells each reason once, the most frequent first', () => {
  const pods = ['A', 'B', 'B', 'C', 'C', 'C', 'D'].map((reason) => ({status: waiting(reason)}))
  assert.equal(explainPods(pods), 'container web: C (3 pods); container web: B (2 pods); container web: A')
})
