import assert from 'node:assert/strict'
import {describe, test} from 'node:test'
import fc from 'fast-check'
import {HEALTH, type Health} from '#shared/model/cluster-report.ts'
import type {JsonObject} from '#shared/model/manifest.ts'
import {computeHealth} from '#shared/plan/compute-health.ts'
import {compileHealthRules, layerHealthRules, noHealthRules} from '#shared/plan/health-rules/compile-health-rules.ts'
import {type HealthRule, HealthRuleError, type HealthRules} from '#shared/plan/health-rules/health-rule.ts'
import {parseClause} from '#shared/plan/health-rules/parse-clause.ts'
import {parseHealthRules} from '#shared/plan/health-rules/parse-health-rules.ts'
import {testClause} from '#shared/plan/health-rules/test-clause.ts'
import {wellKnownHealthRules, wellKnownRules} from '#shared/plan/health-rules/well-known-rules.ts'

function widget(status: JsonObject | undefined, rest: JsonObject = {}): JsonObject {
  return {apiVersion: 'example.com/v1', kind: 'Widget', ...rest, ...(status === undefined ? {} : {status})}
}

function condition(type: string, status: string, reason = '', message = ''): JsonObject {
  return {type, status, reason, message}
}

const sample = widget(
  {
    phase: 'ScaleFailed',
    message: 'no room',
    ready: 1,
    wanted: 3,
    empty: '',
    list: [],
    conditions: [condition('Ready', 'False', 'QuotaExceeded', 'too many'), condition('ACK.Terminal', 'True')],
    racks: {a: {ready: 3, members: 3}, b: {ready: 1, members: 3}},
    parents: [{conditions: [condition('Accepted', 'True')]}, {conditions: [condition('Accepted', 'False', 'NoMatch')]}],
  },
  {spec: {paused: true, wanted: 3}, metadata: {annotations: {'example.com/mode': 'off'}, generation: 4}},
)

describe('a clause of the rule language', () => {
  const holding = [
    'Ready',
    'Ready=False',
    'Ready!=True',
    'Ready=False(QuotaExceeded)',
    'Ready=False(Other|*exceeded)',
    'Ready=False(!Pending)',
    'Ready(QuotaExceeded)',
    '[ACK.Terminal]=True',
    '!Ready=True',
    '!Healthy',
    '.phase',
    '.phase=scalefailed',
    '.phase=Running|*Failed',
    '.phase=*ale*ail*',
    '.phase!=Running',
    '!.empty',
    '!.list',
    '!.nowhere.at.all',
    'spec.paused=true',
    'metadata.annotations[example.com/mode]=off',
    '.ready<.wanted',
    '.ready<=1',
    '.wanted=spec.wanted',
    '.ready!=spec.wanted',
    '.absent<1',
    'metadata.generation>3',
    '.phase=ScaleFailed & Ready=False & !Healthy',
    'any .racks: .ready<.members',
    'any .parents: Accepted=False(NoMatch)',
    'every .racks: .members=3',
    'status',
  ]
  for (const clause of holding) {
    test(`"${clause}" holds`, () => assert.notEqual(testClause(parseClause(clause), sample), undefined))
  }
  const failing = [
    'Ready=True',
    'Ready=False(!QuotaExceeded)',
    'Ready!=False',
    'Healthy!=True',
    '.phase=Scale',
    '.phase=*Scale',
    '.empty',
    '.list',
    '.nowhere!=x',
    '.ready>.wanted',
    'any .nowhere: .ready',
    'every .nowhere: .ready',
    'every .parents: Accepted=True',
    '.phase=ScaleFailed & Ready=True',
    '.constructor',
    '.racks.toString',
  ]
  for (const clause of failing) {
    test(`"${clause}" does not hold`, () => assert.equal(testClause(parseClause(clause), sample), undefined))
  }
  const counted = widget({seen: 2n ** 53n, few: 1}, {metadata: {generation: 2n ** 53n + 1n}})
  for (const [clause, holds] of [
    ['.seen<metadata.generation', true],
    ['.seen=metadata.generation', false],
    ['.seen!=metadata.generation', true],
    ['.seen=9007199254740992', true],
    ['.seen=9007199254740993', false],
    ['.seen>.few', true],
    ['.few!=.seen', true],
  ] as const) {
    test(`"${clause}" ${holds ? 'holds' : 'does not hold'} of numbers beyond 2^53`, () =>
      assert.equal(testClause(parseClause(clause), counted) !== undefined, holds))
  }
  for (const clause of [
    '',
    'ready',
    'Ready=',
    '.phase=',
    '.a..b',
    '.a[b',
    '.a<many',
    'any .a:',
    'Ready & ',
    'Ready=True(',
    '=True',
  ]) {
    test(`"${clause}" is refused`, () =>
      assert.throws(
        () => parseClause(clause),
        (error) => error instanceof HealthRuleError && error.code === 'BAD_CLAUSE' && error.message.includes(clause),
      ))
  }
  test('says what the object says about it', () => {
    const said = (clause: string): string | undefined => testClause(parseClause(clause), sample)
    assert.equal(said('Ready=False'), 'QuotaExceeded: too many')
    assert.equal(said('.phase=*Failed'), 'phase is ScaleFailed: no room')
    assert.equal(said('.ready<.wanted'), 'ready is 1, wanted is 3')
    assert.equal(said('any .racks: .ready<.members'), 'b: ready is 1, members is 3')
  })
  test('never shows an object or a list, whatever is in it', () => {
    const hidden = widget({data: {password: 'hunter2'}, list: ['hunter2']})
    for (const clause of ['.data', '.list', '.data<1', '.data!=1', '.list!=x'])
      assert.doesNotMatch(testClause(parseClause(clause), hidden) ?? '', /hunter2/)
  })
  test('is read and tested without another error than its own', () => {
    const piece = fc.constantFrom(
      'Ready',
      '.a',
      'spec.b',
      '=',
      '!=',
      '<',
      '(',
      ')',
      '!',
      ' & ',
      'any ',
      ': ',
      '|',
      '*',
      'True',
      '3',
      '[x]',
    )
    fc.assert(
      fc.property(fc.array(piece, {maxLength: 8}), fc.jsonValue(), (pieces, status) => {
        try {
          testClause(parseClause(pieces.join('')), JSON.parse(JSON.stringify({status})))
        } catch (error) {
          assert.ok(error instanceof HealthRuleError)
        }
      }),
      {numRuns: 500},
    )
  })
})

describe('rules', () => {
  const judge = (rules: HealthRules, object: JsonObject): string => {
    const {health, reason} = computeHealth(object, {rules})
    return `${health}: ${reason}`
  }
  const rule = (rest: Partial<HealthRule>): HealthRules =>
    compileHealthRules([{kinds: ['example.com/Widget'], ...rest}])

  test('answer with the first verdict that holds', () => {
    const rules = rule({
      verdicts: [
        ['Failed', '.a=1|x'],
        ['InProgress', '.b', 'wait'],
        ['Current', '.c=ok'],
      ],
    })
    assert.equal(judge(rules, widget({a: 'x', b: true})), 'Failed: a is x')
    assert.equal(judge(rules, widget({b: true, c: 'ok'})), 'InProgress: wait: b is true')
    assert.equal(judge(rules, widget({c: 'ok'})), 'Current: c is ok')
  })
  test('leave what no verdict fits to the generic engine', () => {
    const rules = rule({verdicts: [['Failed', '.a=x']]})
    assert.match(judge(rules, widget({conditions: [condition('Ready', 'False', 'Starting')]})), /^InProgress: Starting/)
  })
  test('wait for what a controller always reports', () => {
    const rules = rule({awaits: 'Ready'})
    assert.match(judge(rules, widget(undefined)), /^InProgress: .*not reported/)
    assert.match(judge(rules, widget({conditions: [condition('Other', 'True')]})), /^InProgress: .*not reported/)
    assert.match(judge(rules, widget({conditions: [condition('Ready', 'True')]})), /^Current/)
  })
  test('come after deletion and a spec that is not seen yet', () => {
    const rules = rule({verdicts: [['Failed', 'status']]})
    const deleted = widget({a: 1}, {metadata: {deletionTimestamp: '2026-01-01T00:00:00Z'}})
    assert.match(judge(rules, deleted), /^Terminating/)
    for (const observedGeneration of [1, '1'])
      assert.match(
        judge(rules, widget({observedGeneration}, {metadata: {generation: 2}})),
        /^InProgress: .*generation 1/,
      )
    assert.match(judge(rules, widget({observedGeneration: '757f5f97b'}, {metadata: {generation: 2}})), /^Failed/)
  })
  test('come before what is built in', () => {
    const rules = compileHealthRules([
      {kinds: ['batch/Job'], verdicts: [['InProgress', '!Complete=True', 'not complete']]},
    ])
    const running = {apiVersion: 'batch/v1', kind: 'Job', status: {startTime: '2026-01-01T00:00:00Z', active: 1}}
    assert.equal(computeHealth(running).health, 'Current')
    assert.equal(judge(rules, running), 'InProgress: not complete')
  })
  test('of a kind come before those of its group, and those before those of the groups above', () => {
    const says = (text: string, ...kinds: string[]): HealthRule => ({kinds, verdicts: [['Unknown', '!Nothing', text]]})
    const rules = compileHealthRules([
      says('above', '*.example.com/*'),
      says('kind above', '*.example.com/Gadget'),
      says('group', 'a.example.com/*'),
      says('kind', 'a.example.com/Widget'),
    ])
    const of = (apiVersion: string, kind: string): string => computeHealth({apiVersion, kind}, {rules}).reason
    assert.equal(of('a.example.com/v1', 'Widget'), 'kind')
    assert.equal(of('a.example.com/v1', 'Gadget'), 'group')
    assert.equal(of('b.example.com/v1', 'Gadget'), 'kind above')
    assert.equal(of('c.b.example.com/v1', 'Other'), 'above')
    assert.equal(of('example.com/v1', 'Other'), 'above')
    assert.notEqual(of('notexample.com/v1', 'Other'), 'above')
  })
  test('of a user lie on top of those that come with Drawbridge', () => {
    const own = parseHealthRules([
      {kinds: ['cert-manager.io/Certificate'], verdicts: [['Current', 'Ready=False(Postponed)']]},
    ])
    const rules = layerHealthRules(own, wellKnownHealthRules)
    const certificate = (reason: string): JsonObject => ({
      apiVersion: 'cert-manager.io/v1',
      kind: 'Certificate',
      status: {conditions: [condition('Ready', 'False', reason)]},
    })
    assert.match(judge(rules, certificate('Postponed')), /^Current/)
    assert.match(judge(rules, certificate('Expired')), /^Failed/)
    assert.match(judge(layerHealthRules(noHealthRules), certificate('Expired')), /^InProgress/)
  })
  const bad: [string, unknown, string][] = [
    ['no list', {kinds: ['a/B']}, 'BAD_RULE'],
    ['an unknown field', [{kinds: ['a/B'], verdict: []}], 'BAD_RULE'],
    ['an unknown health', [{kinds: ['a/B'], verdicts: [['Broken', '.a']]}], 'BAD_RULE'],
    ['a kind without a group', [{kinds: ['B']}], 'BAD_KIND'],
    ['a star in the middle', [{kinds: ['a.*.com/B']}], 'BAD_KIND'],
    ['a clause that is none', [{kinds: ['a/B'], verdicts: [['Failed', 'ready']]}], 'BAD_CLAUSE'],
  ]
  for (const [name, input, code] of bad) {
    test(`with ${name} are refused`, () =>
      assert.throws(
        () => parseHealthRules(input),
        (error) => error instanceof HealthRuleError && error.code === code,
      ))
  }
})

describe('the rules that come with Drawbridge', () => {
  test('are all in the language, each kind once, and plain data', () => {
    compileHealthRules(wellKnownRules, {eager: true})
    const kinds = wellKnownRules.flatMap((rule) => rule.kinds)
    assert.deepEqual(
      kinds.filter((kind, index) => kinds.indexOf(kind) !== index),
      [],
    )
    assert.deepEqual(JSON.parse(JSON.stringify(wellKnownRules)), wellKnownRules)
    parseHealthRules(wellKnownRules)
  })

  const ready = (status: string, reason = '', message = ''): JsonObject => ({
    conditions: [condition('Ready', status, reason, message)],
  })
  const expected: [string, string, JsonObject | undefined, Health, JsonObject?][] = [
    ['cert-manager.io/v1', 'Certificate', undefined, 'InProgress'],
    [
      'cert-manager.io/v1',
      'Certificate',
      {conditions: [condition('Ready', 'False', 'DoesNotExist'), condition('Issuing', 'True')]},
      'InProgress',
    ],
    [
      'cert-manager.io/v1',
      'Certificate',
      {conditions: [condition('Ready', 'True'), condition('Issuing', 'True', 'Renewing')]},
      'Current',
    ],
    ['cert-manager.io/v1', 'CertificateRequest', ready('False', 'Pending'), 'InProgress'],
    ['cert-manager.io/v1', 'CertificateRequest', ready('False', 'Denied'), 'Failed'],
    ['acme.cert-manager.io/v1', 'Challenge', {state: 'errored', reason: 'no DNS record'}, 'Failed'],
    ['external-secrets.io/v1', 'ExternalSecret', ready('False', 'SecretSyncedError'), 'Failed'],
    ['generators.external-secrets.io/v1alpha1', 'Password', undefined, 'Current'],
    ['flagger.app/v1beta1', 'Canary', {phase: 'WaitingPromotion'}, 'InProgress'],
    ['flagger.app/v1beta1', 'Canary', {phase: 'Failed'}, 'Failed'],
    ['flagger.app/v1beta1', 'Canary', {phase: 'Succeeded'}, 'Current'],
    ['helm.toolkit.fluxcd.io/v2', 'HelmRelease', ready('False', 'InstallFailed'), 'Failed'],
    ['helm.toolkit.fluxcd.io/v2', 'HelmRelease', ready('False', 'DependencyNotReady'), 'InProgress'],
    ['helm.toolkit.fluxcd.io/v2', 'HelmRelease', ready('False', 'InstallFailed'), 'Current', {spec: {suspend: true}}],
    ['notification.toolkit.fluxcd.io/v1beta3', 'Provider', undefined, 'Current'],
    ['argoproj.io/v1alpha1', 'AnalysisRun', {phase: 'Inconclusive'}, 'Unknown'],
    ['argoproj.io/v1alpha1', 'Workflow', {phase: 'Running'}, 'InProgress'],
    ['argoproj.io/v1alpha1', 'Application', {health: {status: 'Degraded'}}, 'Failed'],
    ['argoproj.io/v1alpha1', 'AppProject', undefined, 'Current'],
    ['serving.knative.dev/v1', 'Service', ready('Unknown', 'RevisionMissing'), 'InProgress'],
    ['serving.knative.dev/v1', 'Service', ready('False', 'RevisionFailed'), 'Failed'],
    ['s3.aws.upbound.io/v1beta1', 'Bucket', {conditions: [condition('Synced', 'True')]}, 'InProgress'],
    [
      's3.aws.upbound.io/v1beta1',
      'Bucket',
      {conditions: [condition('Synced', 'False', 'ReconcileError'), condition('Ready', 'True')]},
      'Failed',
    ],
    ['aws.upbound.io/v1beta1', 'ProviderConfig', undefined, 'Current'],
    [
      'pkg.crossplane.io/v1',
      'Provider',
      {conditions: [condition('Installed', 'True'), condition('Healthy', 'False')]},
      'InProgress',
    ],
    ['apiextensions.crossplane.io/v1', 'Composition', undefined, 'Current'],
    [
      'rds.services.k8s.aws/v1alpha1',
      'DBInstance',
      {conditions: [condition('ACK.Terminal', 'True', '', 'bad engine')]},
      'Failed',
    ],
    [
      'rds.services.k8s.aws/v1alpha1',
      'DBInstance',
      {conditions: [condition('ACK.ResourceSynced', 'False')]},
      'InProgress',
    ],
    ['sql.cnrm.cloud.google.com/v1beta1', 'SQLInstance', ready('False', 'UpdateFailed'), 'Failed'],
    ['sql.cnrm.cloud.google.com/v1beta1', 'SQLInstance', ready('False', 'DependencyNotReady'), 'InProgress'],
    ['cluster.x-k8s.io/v1beta1', 'Cluster', {phase: 'Provisioning'}, 'InProgress'],
    ['cluster.x-k8s.io/v1beta1', 'Machine', {phase: 'Failed', failureMessage: 'no such image'}, 'Failed'],
    ['infrastructure.cluster.x-k8s.io/v1beta2', 'AWSMachineTemplate', undefined, 'Current'],
    [
      'gateway.networking.k8s.io/v1',
      'Gateway',
      {conditions: [condition('Accepted', 'True'), condition('Programmed', 'False', 'AddressNotAssigned')]},
      'InProgress',
    ],
    [
      'gateway.networking.k8s.io/v1',
      'GatewayClass',
      {conditions: [condition('Accepted', 'False', 'InvalidParameters')]},
      'Failed',
    ],
    [
      'gateway.networking.k8s.io/v1',
      'GRPCRoute',
      {parents: [{conditions: [condition('Accepted', 'False', 'NoMatchingParent')]}]},
      'Failed',
    ],
    ['networking.istio.io/v1', 'VirtualService', undefined, 'Current'],
    [
      'networking.istio.io/v1',
      'VirtualService',
      {validationMessages: [{level: 'ERROR', documentationUrl: 'x'}]},
      'Failed',
    ],
    [
      'kafka.strimzi.io/v1beta2',
      'KafkaTopic',
      {conditions: [condition('NotReady', 'True', 'InvalidRequest', 'too many replicas')]},
      'Failed',
    ],
    [
      'keda.sh/v1alpha1',
      'ScaledObject',
      {conditions: [condition('Ready', 'False', 'ScaledObjectCheckFailed')]},
      'Failed',
    ],
    ['keda.sh/v1alpha1', 'TriggerAuthentication', undefined, 'Current'],
    ['tekton.dev/v1', 'PipelineRun', {conditions: [condition('Succeeded', 'Unknown', 'Running')]}, 'InProgress'],
    ['velero.io/v1', 'Backup', {phase: 'PartiallyFailed'}, 'Failed'],
    ['acid.zalan.do/v1', 'postgresql', {PostgresClusterStatus: 'SyncFailed'}, 'Failed'],
    ['monitoring.coreos.com/v1', 'ServiceMonitor', undefined, 'Current'],
    [
      'monitoring.coreos.com/v1',
      'Alertmanager',
      {conditions: [condition('Available', 'False', 'NoPodReady')]},
      'Failed',
    ],
    ['operators.coreos.com/v1alpha1', 'ClusterServiceVersion', {phase: 'Installing'}, 'InProgress'],
    [
      'sparkoperator.k8s.io/v1beta2',
      'SparkApplication',
      {applicationState: {state: 'SUBMISSION_FAILED', errorMessage: 'no jar'}},
      'Failed',
    ],
    ['ray.io/v1', 'RayCluster', {state: 'ready'}, 'Current'],
  ]
  for (const [apiVersion, kind, status, health, rest] of expected) {
    const told = status === undefined ? 'without a status' : JSON.stringify(status).slice(0, 90)
    test(`take ${kind} ${told} for ${health}`, () => {
      const computed = computeHealth({apiVersion, kind, ...rest, ...(status === undefined ? {} : {status})})
      assert.equal(computed.health, health, computed.reason)
    })
  }

  test('judge whatever a cluster may hold without throwing', () => {
    const kinds = wellKnownRules
      .flatMap((rule) => rule.kinds)
      .map((kind) => kind.replace('*.', 'a.').replace('/*', '/Any').split('/'))
    fc.assert(
      fc.property(
        fc.constantFrom(...kinds),
        fc.jsonValue(),
        fc.jsonValue(),
        ([group = '', kind = ''], spec, status) => {
          const object: JsonObject = JSON.parse(JSON.stringify({apiVersion: `${group}/v1`, kind, spec, status}))
          const {health, reason} = computeHealth(object)
          assert.ok(HEALTH.includes(health))
          assert.notEqual(reason, '')
          assert.ok(reason.length <= 500)
        },
      ),
      {numRuns: 500},
    )
  })
})
