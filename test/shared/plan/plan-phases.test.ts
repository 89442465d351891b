import assert from 'node:assert/strict'
import {test} from 'node:test'
import fc from 'fast-check'
import type {Manifest} from '#shared/model/manifest.ts'
import {refKey, refOf} from '#shared/model/object-ref.ts'
import {planPhases} from '#shared/plan/plan-phases.ts'
import {readHook, readWave, SYNC_PHASES} from '#shared/plan/read-hook.ts'

const argo = 'argocd.argoproj.io'

function object(kind: string, name: string, annotations: Record<string, string> = {}, namespace?: string): Manifest {
  const group = {Job: 'batch/v1', Deployment: 'apps/v1', CustomResourceDefinition: 'apiextensions.k8s.io/v1'}[kind]
  const place = namespace === undefined ? {} : {namespace}
  return {apiVersion: group ?? 'v1', kind, metadata: {name, annotations, ...place}}
}

/** `PreSync 0: Job/a | Sync 1: …`, hooks in brackets, stages apart by `,`. */
function describe(manifests: Manifest[]): string {
  return planPhases(manifests)
    .map(({phase, wave, stages}) => {
      const shown = stages.map(({objects, hooks}) =>
        [
          ...objects.map(({metadata}) => metadata.name),
          ...hooks.map(({manifest}) => `[${manifest.metadata.name}]`),
        ].join(' '),
      )
      return `${phase} ${wave}: ${shown.join(', ')}`
    })
    .join(' | ')
}

test('without annotations there is one step, in the stages of the kinds', () => {
  assert.equal(
    describe([object('Deployment', 'web'), object('ConfigMap', 'c'), object('Namespace', 'n')]),
    'Sync 0: n, c, web',
  )
})

test('orders by phase, then by wave, then by kind', () => {
  const wave = (number: string, more = {}) => ({[`${argo}/sync-wave`]: number, ...more})
  const manifests = [
    object('Job', 'after', {[`${argo}/hook`]: 'PostSync'}),
    object('Deployment', 'late', wave('5')),
    object('ConfigMap', 'late-settings', wave('5')),
    object('Deployment', 'early', wave('-1')),
    object('Job', 'before', wave('2', {[`${argo}/hook`]: 'PreSync'})),
    object('Job', 'first', {[`${argo}/hook`]: 'PreSync'}),
    object('Job', 'rescue', {[`${argo}/hook`]: 'SyncFail'}),
    object('ConfigMap', 'plain'),
  ]
  assert.equal(
    describe(manifests),
    'PreSync 0: [first] | PreSync 2: [before] | Sync -1: early | Sync 0: plain | Sync 5: late-settings, late | PostSync 0: [after] | SyncFail 0: [rescue]',
  )
})

test('brings a namespace and a definition as early as what first needs them, unless they say when', () => {
  const definition: Manifest = {
    ...object('CustomResourceDefinition', 'gears.x.example'),
    spec: {group: 'x.example', names: {kind: 'Gear'}},
  }
  const gear: Manifest = {
    apiVersion: 'x.example/v1',
    kind: 'Gear',
    metadata: {name: 'gear', annotations: {[`${argo}/sync-wave`]: '-3'}},
  }
  const hook = object('Job', 'migrate', {[`${argo}/hook`]: 'PreSync', [`${argo}/sync-wave`]: '-1'}, 'shop')
  assert.equal(
    describe([object('Namespace', 'shop'), object('Namespace', 'other'), definition, gear, hook]),
    'PreSync -1: shop, [migrate] | Sync -3: gears.x.example, gear | Sync 0: other',
  )
  assert.equal(
    describe([object('Namespace', 'shop', {[`${argo}/sync-wave`]: '0'}), hook]),
    'PreSync -1: [migrate] | Sync 0: shop',
  )
})

for (const [name, annotations, phases, policies] of [
  ['a phase of Argo CD', {[`${argo}/hook`]: 'PostSync'}, 'PostSync', 'BeforeHookCreation'],
  ['several phases', {[`${argo}/hook`]: 'PreSync, PostSync'}, 'PreSync,PostSync', 'BeforeHookCreation'],
  ['a phase that is not served', {[`${argo}/hook`]: 'PostDelete'}, 'never', ''],
  ['Skip', {[`${argo}/hook`]: 'Skip'}, 'never', ''],
  ['helm, before', {'helm.sh/hook': 'pre-install,pre-upgrade'}, 'PreSync', 'BeforeHookCreation'],
  ['helm, after', {'helm.sh/hook': 'post-upgrade'}, 'PostSync', 'BeforeHookCreation'],
  ['helm, deletion', {'helm.sh/hook': 'pre-delete'}, 'never', ''],
  ['helm, rollback', {'helm.sh/hook': 'pre-rollback'}, 'never', ''],
  ['helm, definitions', {'helm.sh/hook': 'crd-install'}, 'object', ''],
  ['Argo CD before helm', {[`${argo}/hook`]: 'Sync', 'helm.sh/hook': 'pre-install'}, 'Sync', 'BeforeHookCreation'],
  [
    'delete policies',
    {[`${argo}/hook`]: 'Sync', [`${argo}/hook-delete-policy`]: 'HookSucceeded, HookFailed'},
    'Sync',
    'HookSucceeded,HookFailed',
  ],
  [
    'delete policies of helm',
    {'helm.sh/hook': 'pre-install', 'helm.sh/hook-delete-policy': 'hook-succeeded,before-hook-creation'},
    'PreSync',
    'HookSucceeded,BeforeHookCreation',
  ],
] as const) {
  test(`reads hooks: ${name}`, () => {
    const hook = readHook(object('Job', 'x', annotations))
    if (typeof hook === 'string') assert.equal(hook, phases)
    else assert.deepEqual([hook.phases.join(), hook.deletePolicies.join()], [phases, policies])
  })
}

for (const [events, only] of [
  ['pre-install', {PreSync: 'install'}],
  ['pre-upgrade,post-upgrade', {PreSync: 'upgrade', PostSync: 'upgrade'}],
  ['pre-install,pre-upgrade', undefined],
  ['post-install,pre-upgrade', {PostSync: 'install', PreSync: 'upgrade'}],
  ['pre-install,pre-upgrade,post-upgrade', {PostSync: 'upgrade'}],
  ['pre-upgrade,pre-rollback', {PreSync: 'upgrade'}],
] as const) {
  test(`knows which releases helm's hook is for: ${events}`, () => {
    const hook = readHook(object('Job', 'x', {'helm.sh/hook': events}))
    assert.ok(typeof hook !== 'string')
    assert.deepEqual(hook.only, only)
  })
}

test("a phase of Argo CD's is part of every sync, whatever helm's annotation says", () => {
  const hook = readHook(object('Job', 'x', {[`${argo}/hook`]: 'PreSync', 'helm.sh/hook': 'pre-install'}))
  assert.ok(typeof hook !== 'string' && hook.only === undefined)
})

test("reads a wave of Argo CD, else helm's weight of a hook, and takes nonsense for none", () => {
  const wave = (annotations: Record<string, string>) => readWave(object('Job', 'x', annotations))
  assert.equal(wave({[`${argo}/sync-wave`]: '-5'}), -5)
  assert.equal(wave({'helm.sh/hook': 'pre-install', 'helm.sh/hook-weight': '7'}), 7)
  assert.equal(wave({'helm.sh/hook-weight': '7'}), undefined)
  assert.equal(wave({[`${argo}/sync-wave`]: 'soon'}), undefined)
})

test('loses no object, and puts no step before an earlier one', () => {
  const annotations = fc.record(
    {
      [`${argo}/sync-wave`]: fc.integer({min: -3, max: 3}).map(String),
      [`${argo}/hook`]: fc.constantFrom('PreSync', 'Sync', 'PostSync', 'SyncFail', 'PreSync,PostSync'),
    },
    {requiredKeys: []},
  )
  const kinds = fc.constantFrom('ConfigMap', 'Job', 'Deployment', 'Namespace')
  const manifest = fc.record({kind: kinds, annotations, namespace: fc.constantFrom('a', 'b')})
  fc.assert(
    fc.property(fc.array(manifest, {maxLength: 30}), (made) => {
      const manifests = made.map(({kind, annotations, namespace}, index) =>
        object(kind, `${namespace}${index}`, annotations, kind === 'Namespace' ? undefined : namespace),
      )
      const steps = planPhases(manifests)
      const places = steps.map(({phase, wave}) => SYNC_PHASES.indexOf(phase) * 100 + wave)
      assert.deepEqual(
        places,
        [...new Set(places)].sort((a, b) => a - b),
      )
      const found = steps.flatMap(({stages}) =>
        stages.flatMap(({objects, hooks}) => [...objects, ...hooks.map(({manifest: hook}) => hook)]),
      )
      assert.deepEqual(
        new Set(found.map((each) => refKey(refOf(each)))),
        new Set(manifests.map((each) => refKey(refOf(each)))),
      )
    }),
  )
})
