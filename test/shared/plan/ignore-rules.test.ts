import assert from 'node:assert/strict'
import {test} from 'node:test'
import {childObject, type JsonObject} from '#shared/model/manifest.ts'
import type {IgnoreDifferences} from '#shared/model/sync-options.ts'
import {compileIgnoreRules} from '#shared/plan/ignore/compile-ignore-rules.ts'
import {IgnoreRuleError} from '#shared/plan/ignore/ignore-rule-error.ts'
import {parseJqPath, parsePointer} from '#shared/plan/ignore/parse-jq-path.ts'

const object: JsonObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {name: 'web', annotations: {'a/b': '1', plain: '2'}},
  spec: {
    replicas: 2,
    template: {
      spec: {
        containers: [
          {name: 'web', image: 'web:1', env: [{name: 'A', value: '1'}]},
          {name: 'proxy', image: 'proxy:1'},
        ],
      },
    },
  },
}

for (const [text, expected] of [
  ['.spec.replicas', ['spec.replicas']],
  ['.metadata.annotations["a/b"]', ['metadata.annotations.a/b']],
  ['.metadata.annotations."a/b"', ['metadata.annotations.a/b']],
  ['.metadata.annotations[]', ['metadata.annotations.a/b', 'metadata.annotations.plain']],
  ['.spec.template.spec.containers[0].image', ['spec.template.spec.containers.0.image']],
  ['.spec.template.spec.containers[-1].image', ['spec.template.spec.containers.1.image']],
  [
    '.spec.template.spec.containers[].image',
    ['spec.template.spec.containers.0.image', 'spec.template.spec.containers.1.image'],
  ],
  ['.spec.template.spec.containers[] | select(.name == "proxy") | .image', ['spec.template.spec.containers.1.image']],
  ['.spec.template.spec.containers[]|select(.name != "proxy")', ['spec.template.spec.containers.0']],
  [
    '.spec.template.spec.containers[] | select(.env and .name == "web" or .name == "x").image',
    ['spec.template.spec.containers.0.image'],
  ],
  ['.spec.template.spec.containers[]?.env[]?.value', ['spec.template.spec.containers.0.env.0.value']],
  ['.spec.nothing[]?.x', []],
] as const) {
  test(`finds what ${text} names`, () => {
    const found = parseJqPath(text)(object).map((path) => path.join('.'))
    assert.deepEqual(found, expected)
  })
}

for (const text of [
  '.',
  'spec',
  '.spec.',
  '..',
  '.a | del(.b)',
  '.a[1:2]',
  '.a == 1',
  '.a[',
  'select(.a)x',
  '$x',
  '"',
]) {
  test(`refuses ${text}, which is no path`, () => {
    assert.throws(() => parseJqPath(text), IgnoreRuleError)
  })
}

test('follows JSON pointers with their escapes', () => {
  assert.deepEqual(parsePointer('/metadata/annotations/a~1b')(object), [['metadata', 'annotations', 'a/b']])
  assert.deepEqual(parsePointer('/spec/template/spec/containers/1/image')(object)[0]?.[4], 1)
  assert.deepEqual(parsePointer('/spec/nothing')(object), [])
})

const ref = {group: 'apps', kind: 'Deployment', namespace: 'web', name: 'web'}
const pointer = {group: 'apps', kind: 'Deployment', jsonPointers: ['/spec/replicas']}

for (const [what, rule, applies] of [
  ['its group and kind', pointer, true],
  ['any group and kind', {...pointer, group: '*', kind: '*'}, true],
  ['its name and namespace', {...pointer, name: 'web', namespace: 'web'}, true],
  ['another name', {...pointer, name: 'api'}, false],
  ['another namespace', {...pointer, namespace: 'api'}, false],
  ['the core group', {kind: 'Deployment', jsonPointers: ['/spec/replicas']}, false],
] as const) {
  test(`a rule for ${what} ${applies ? 'is' : 'is not'} the object's`, () => {
    const rules: IgnoreDifferences[] = [{...rule, jsonPointers: [...rule.jsonPointers]}]
    assert.equal(compileIgnoreRules(rules)(ref) !== undefined, applies)
  })
}

test('takes the live value of an ignored field, in the container of the same name', () => {
  const ignored = compileIgnoreRules([
    {
      group: 'apps',
      kind: 'Deployment',
      jqPathExpressions: ['.spec.template.spec.containers[].image', '.spec.replicas'],
    },
  ])(ref)
  const live: JsonObject = {
    metadata: {name: 'web'},
    spec: {template: {spec: {containers: [{name: 'injected'}, {name: 'proxy', image: 'proxy:live'}]}}},
  }
  const applied = ignored?.asLive(object, live, 'drawbridge')
  assert.deepEqual(applied?.spec, {
    template: {
      spec: {
        containers: [
          {name: 'web', env: [{name: 'A', value: '1'}]},
          {name: 'proxy', image: 'proxy:live'},
        ],
      },
    },
  })
  assert.equal(applied?.kind, 'Deployment')
})

test('ignores what a field manager owns', () => {
  const ignored = compileIgnoreRules([{group: 'apps', kind: 'Deployment', managedFieldsManagers: ['hpa']}])(ref)
  const live: JsonObject = {
    ...object,
    metadata: {
      name: 'web',
      managedFields: [
        {
          manager: 'hpa',
          fieldsV1: {
            'f:spec': {
              'f:replicas': {},
              'f:template': {'f:spec': {'f:containers': {'k:{"name":"proxy"}': {'.': {}, 'f:image': {}}}}},
            },
          },
        },
        {manager: 'other', fieldsV1: {'f:metadata': {'f:annotations': {'f:plain': {}}}}},
      ],
    },
  }
  const rest = ignored?.without(object, live)
  assert.deepEqual(rest?.spec, {
    template: {
      spec: {
        containers: [{name: 'web', image: 'web:1', env: [{name: 'A', value: '1'}]}, {name: 'proxy'}],
      },
    },
  })
  assert.deepEqual(rest?.metadata, object.metadata)
})

test('never leaves to others which object it is and whose', () => {
  const marked = {...object, metadata: {name: 'web', namespace: 'web', labels: {'drawbridge.dev/app': 'web', x: '1'}}}
  const ignored = compileIgnoreRules([{group: '*', kind: '*', jsonPointers: ['/metadata']}])(ref)
  const live = {...object, metadata: {name: 'other', labels: {'drawbridge.dev/app': 'other'}}}
  const applied = ignored?.asLive(marked, live, 'drawbridge')
  assert.deepEqual(applied?.metadata, {name: 'web', namespace: 'web', labels: {'drawbridge.dev/app': 'web'}})
  assert.equal(applied?.kind, 'Deployment')
})

test('leaves an ignored field to the manager that owns it, and keeps the live value of one that nobody else owns', () => {
  const ignored = compileIgnoreRules([
    {group: 'apps', kind: 'Deployment', jsonPointers: ['/spec/replicas', '/metadata/annotations/plain']},
  ])(ref)
  const own = {'f:spec': {'f:replicas': {}}, 'f:metadata': {'f:annotations': {'f:plain': {}}}}
  const live: JsonObject = {
    metadata: {
      name: 'web',
      annotations: {plain: 'live'},
      managedFields: [
        {manager: 'drawbridge', operation: 'Apply', fieldsV1: own},
        {manager: 'hpa', operation: 'Update', subresource: 'scale', fieldsV1: {'f:spec': {'f:replicas': {}}}},
      ],
    },
    spec: {replicas: 9},
  }
  const applied = ignored?.asLive(object, live, 'drawbridge')
  assert.deepEqual(Object.keys((applied?.spec ?? {}) as JsonObject), ['template'])
  assert.deepEqual(childObject(applied?.metadata as JsonObject, 'annotations'), {'a/b': '1', plain: 'live'})
})

for (const rule of [
  ...['/kind', '/apiVersion', '/metadata/name', '/metadata/namespace'].map((pointer) => ({jsonPointers: [pointer]})),
  ...['.kind', '.["apiVersion"]', '.[]', '.metadata | .name', '.metadata[]'].map((path) => ({
    jqPathExpressions: [path],
  })),
] as const) {
  test(`refuses to leave to others what an object is known by: ${JSON.stringify(rule)}`, () => {
    assert.throws(
      () => compileIgnoreRules([{kind: 'Secret', ...rule}]),
      (error) => error instanceof IgnoreRuleError && /by which an object is known/.test(error.message),
    )
  })
}

test('does not take out what an object is known by, however it is named', () => {
  const jqPathExpressions = ['select(.kind == "Deployment").kind', '.metadata | select(.annotations).name']
  const ignored = compileIgnoreRules([{group: 'apps', kind: 'Deployment', jqPathExpressions}])(ref)
  assert.deepEqual(ignored?.without(object, object), object)
})
