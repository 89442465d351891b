import assert from 'node:assert/strict'
import {after, before, type TestContext, test} from 'node:test'
import type {KubeTransport} from '#agent/kube/send-request.ts'
import {ENDPOINTS_PORT, MEMORY} from '#infra/agent/agent-install.ts'
import type {JsonObject} from '#shared/model/manifest.ts'
import type {TestApp} from '../../agent/publish-state.ts'
import {configMap, deployment, namespace, waitUntil} from '../../agent/start-test-agent.ts'
import {runCli} from '../../cli/run-cli.ts'
import {assertNoneRefused, grantedRights, usedRights} from './agent-rights.ts'
import {commandsOf, metricsIn, metricsOf, readDocs} from './docs-page.ts'
import {type InstallStage, residentMebibytes, startInstallStage} from './install-stage.ts'
import {definitionFile} from './write-definition.ts'

let stage: InstallStage
let docs: string
before(async () => {
  docs = await readDocs()
  stage = await startInstallStage()
})
after(() => stage?.stop())

/** Installs the agent under a profile for one test, in a namespace of its own. */
async function install(t: TestContext, profile: string, inNamespace: string, more: readonly string[] = []) {
  t.after(async () => {
    await stage.kubectl(['delete', 'clusterrolebinding/drawbridge-agent', '--ignore-not-found', '--wait=false'])
    await stage.kubectl(['delete', 'clusterrole/drawbridge-agent', '--ignore-not-found', '--wait=false'])
  })
  const flags = [...stage.flags, '--profile', profile, '--namespace', inNamespace, '--env', 'LEASE_SECONDS=2', ...more]
  return stage.install([...flags, '--env', 'POLL_INTERVAL_SECONDS=1'])
}

async function create(path: string, object: JsonObject, client: KubeTransport = stage.admin): Promise<string> {
  const {status, body} = await client.send(
    {method: 'POST', path, body: JSON.stringify(object), what: `create ${path}`, attempts: 1},
    [400, 403, 409, 422],
  )
  return status < 300 || status === 409 ? 'created' : body
}

/** The status that an API server answers to a request of a ServiceAccount. */
async function statusOf(
  client: KubeTransport,
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  body?: object,
) {
  const {status} = await client.send(
    {
      method,
      path,
      what: path,
      attempts: 1,
      ...(body === undefined ? {} : {body: JSON.stringify(body)}),
      ...(method === 'PATCH' ? {contentType: 'application/merge-patch+json'} : {}),
    },
    [400, 403, 404, 409, 422],
  )
  return status
}

const dataOf = async (name: string, inNamespace: string): Promise<unknown> => {
  const path = `/api/v1/namespaces/${inNamespace}/configmaps/${name}`
  const {status, body} = await stage.admin.send({method: 'GET', path, what: path}, [404])
  return status === 404 ? 'absent' : JSON.parse(body).data
}

for (const profile of ['platform', 'tenant']) {
  test(`the pod of profile ${profile} is admitted where Pod Security enforces "restricted"`, async (t) => {
    const {spec} = await install(t, profile, `pod-${profile}`)
    const path = `/api/v1/namespaces/pod-${profile}/pods?dryRun=All`
    const pod = {apiVersion: 'v1', kind: 'Pod', metadata: {name: 'agent'}, spec: spec.template.spec}
    assert.equal(await create(path, pod as unknown as JsonObject), 'created')
    // The namespace does enforce it: the same pod, allowed to gain privileges, is refused.
    const container = {...spec.template.spec.containers[0], securityContext: {allowPrivilegeEscalation: true}}
    const loose = {...pod, spec: {...pod.spec, containers: [container]}}
    assert.match(await create(path, loose as unknown as JsonObject), /violates PodSecurity \\"restricted/)
  })
}

test('installing the same again changes nothing, not even the Lease that an agent holds', async (t) => {
  const flags = [...stage.flags, '--profile', 'tenant', '--namespace', 'again']
  const first = await install(t, 'tenant', 'again')
  const agent = await stage.startAgent(first, 'again')
  t.after(() => agent.stop())
  const holder = async () => {
    const path = '/apis/coordination.k8s.io/v1/namespaces/again/leases/drawbridge-agent'
    return JSON.parse((await stage.admin.send({method: 'GET', path, what: path})).body).spec?.holderIdentity ?? ''
  }
  await waitUntil(
    async () => (await holder()) !== '',
    () => `a holder; ${agent.lines.join('\n')}`,
  )
  const before = await holder()
  await stage.install([...flags, '--env', 'LEASE_SECONDS=2', 'POLL_INTERVAL_SECONDS=1'])
  assert.equal(await holder(), before)
})

test('profile platform applies an app that names no serviceAccount, of any kind', async (t) => {
  const agent = await stage.startAgent(await install(t, 'platform', 'platform'), 'platform')
  t.after(() => agent.stop())
  const role = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: {name: 'made-by-app'},
    rules: [{apiGroups: [''], resources: ['secrets'], verbs: ['get']}],
  }
  const secret = {apiVersion: 'v1', kind: 'Secret', metadata: {name: 'key', namespace: 'shop'}, stringData: {a: 'b'}}
  await stage.publisher.publish({
    shop: {
      manifests: [
        namespace('shop'),
        configMap('shop', 'settings', {a: '1'}),
        deployment('shop', 'web', 0),
        role,
        secret,
      ],
    },
  })
  await waitUntil(
    () => agent.lines.some((line) => line.includes('"event":"applied"')),
    () => `the apply; ${agent.lines.join('\n')}`,
  )
  assert.deepEqual(await dataOf('settings', 'shop'), {a: '1'})
  await stage.publisher.publish({shop: {manifests: [namespace('shop'), configMap('shop', 'settings', {a: '2'})]}})
  await waitUntil(
    async () => (await statusOf(stage.admin, 'GET', '/apis/apps/v1/namespaces/shop/deployments/web')) === 404,
    () => `the prune; ${agent.lines.join('\n')}`,
  )
  const resident = await residentMebibytes(agent.process.pid ?? 0)
  assert.ok(resident < MEMORY.requestMebibytes, `${resident} MiB, more than it requests`)
  assert.equal(await agent.stop(), 0)
  // The installed definition of App objects is the agent's own: it has the right to change it, and no reason to.
  const requests = await stage.audit.read('system:serviceaccount:platform:drawbridge-agent')
  assertNoneRefused(requests)
  const ofDefinition = requests.filter(({resource}) => resource?.name === 'customresourcedefinitions')
  assert.deepEqual(new Set(ofDefinition.map(({verb}) => verb)), new Set(['get']))
})

test('profile tenant applies, heals and prunes as the serviceAccount that the app names, and as nobody else', async (t) => {
  await makeTenant('web', 'drawbridge-deployer')
  await makeTenant('web', 'somebody')
  const agent = await stage.startAgent(await install(t, 'tenant', 'tenants'), 'tenants')
  t.after(() => agent.stop())
  const app = (data: string, more: Partial<TestApp> = {}): TestApp => ({
    manifests: [configMap('web', 'settings', {data}), deployment('web', 'site', 0)],
    serviceAccount: 'web/drawbridge-deployer',
    ...more,
  })
  const says = (text: string) =>
    waitUntil(
      () => agent.lines.some((line) => line.includes(text)),
      () => `${text}; ${agent.lines.join('\n')}`,
    )
  await stage.publisher.publish({web: app('1')})
  await says('"event":"applied"')
  assert.deepEqual(await dataOf('settings', 'web'), {data: '1'})

  await statusOf(stage.admin, 'PATCH', '/api/v1/namespaces/web/configmaps/settings', {data: {data: 'changed'}})
  await says('"event":"healed"')
  assert.deepEqual(await dataOf('settings', 'web'), {data: '1'})

  await stage.publisher.publish({web: {...app('1'), manifests: [deployment('web', 'site', 0)]}})
  await waitUntil(
    async () => (await dataOf('settings', 'web')) === 'absent',
    () => agent.lines.join('\n'),
  )

  await stage.publisher.publish({
    web: app('2', {serviceAccount: 'web/somebody'}),
    bare: {manifests: [configMap('web', 'bare')]},
    outside: {manifests: [configMap('default', 'outside')], serviceAccount: 'web/drawbridge-deployer'},
  })
  await says('cannot impersonate resource \\"serviceaccounts\\"')
  await says('User \\"system:serviceaccount:tenants:drawbridge-agent\\" cannot patch resource \\"configmaps\\"')
  await says('User \\"system:serviceaccount:web:drawbridge-deployer\\" cannot patch resource \\"configmaps\\"')
  assert.equal(await dataOf('settings', 'web'), 'absent')
  assert.equal(await dataOf('bare', 'web'), 'absent')
  assert.equal(await dataOf('outside', 'default'), 'absent')
  assert.equal(await agent.stop(), 0)
})

test('profile tenant grants all that the agent asks for in its life, and nothing in its namespace that it does not', async (t) => {
  await makeTenant('homes', 'drawbridge-deployer')
  const inNamespace = 'life'
  const installed = await install(t, 'tenant', inNamespace)
  const first = await stage.startAgent(installed, inNamespace)
  t.after(() => first.stop())
  const eventually = (what: string, holds: () => Promise<boolean>) =>
    waitUntil(holds, () => `${what}; ${first.lines.join('\n')}`, 60_000)
  const says = (text: string) => eventually(text, async () => first.lines.some((line) => line.includes(text)))
  const ready = async (agent = first) => (await agent.ask('/readyz').catch(() => undefined))?.text
  const onCall = commandsOf(docs, 'Seen from the cluster', 'kubectl').map((command) =>
    command.replaceAll('<App>', 'home').replaceAll('drawbridge-system', inNamespace).replace('"$(date +%s)"', '1'),
  )
  const run = async (wanted: RegExp, revision = '') => {
    const [command, ...others] = onCall.filter((candidate) => wanted.test(candidate))
    assert.ok(command !== undefined && others.length === 0, `one command of the documentation is like ${wanted}`)
    onCall.splice(onCall.indexOf(command), 1)
    return stage.kubectl(command.replace('<Revision>', revision).split(' '))
  }
  const settings = configMap('homes', 'settings', {data: '1'})
  const more = configMap('homes', 'more')
  const app = (manifests: TestApp['manifests'], sync: TestApp['sync'] = {}): Record<string, TestApp> => ({
    home: {manifests, serviceAccount: 'homes/drawbridge-deployer', sync},
  })
  const change = (data: string) =>
    statusOf(stage.admin, 'PATCH', '/api/v1/namespaces/homes/configmaps/settings', {data: {data}})

  // Health that is not reached, for want of pods.
  await create('/api/v1/namespaces/homes/resourcequotas', {metadata: {name: 'none'}, spec: {hard: {pods: '0'}}})
  await stage.publisher.publish(app([settings, more, deployment('homes', 'web', 1)], {timeoutSeconds: 2}))
  await says('"event":"failed"')
  await says('exceeded quota')
  await stage.publisher.publish(app([settings, more, deployment('homes', 'web', 0)]))
  await run(/^wait /)
  assert.match(await run(/^get /), new RegExp(`${inNamespace} +home +main@sha1:[0-9a-f]{40} +True +Current +0 `))
  assert.match(await run(/^describe /), /Reason: +ReconciliationSucceeded/)

  // Drift; a suspended app and a resumed one; a reconcile on request.
  await change('changed')
  await says('"event":"healed"')
  await run(/suspend=true/)
  await says('is suspended by its annotation')
  await change('by hand')
  const shown = async () =>
    JSON.parse(await stage.kubectl(['get', 'apps.drawbridge.dev/home', '-n', inNamespace, '-ojson']))
  await eventually('drift that is shown', async () => (await shown()).status.drift === 1)
  assert.deepEqual(await dataOf('settings', 'homes'), {data: 'by hand'})
  await run(/suspend-$/)
  await eventually('a heal', async () => JSON.stringify(await dataOf('settings', 'homes')) === '{"data":"1"}')
  await run(/requestedAt=/)
  await eventually('an answer', async () => (await shown()).status.lastHandledReconcileAt === '1')
  await eventually('Events', async () => /DriftHealed/.test(await stage.kubectl(['get', 'events', '-n', inNamespace])))
  assert.match(await run(/^events /), /DriftDetected/)
  await run(/^create role /)

  // A prune that needs approval, and a rollout: the new pod is ready while the old one leads.
  const {apps} = await stage.publisher.publish(app([deployment('homes', 'web', 0)], {pruneLimit: {objects: 1}}))
  const command = [
    'wait',
    'apps.drawbridge.dev/home',
    '-n',
    inNamespace,
    '--for=condition=Ready=False',
    '--timeout=30s',
  ]
  await stage.kubectl(command)
  assert.deepEqual(await dataOf('settings', 'homes'), {data: '1'})
  const [asked] = apps
  assert.ok(asked?.state === 'present')
  await run(/approve-prune=/, asked.revision)
  assert.deepEqual(onCall, [])
  await eventually('a prune', async () => (await dataOf('settings', 'homes')) === 'absent')
  const [container] = installed.spec.template.spec.containers
  assert.deepEqual(container.ports, [{name: 'metrics', containerPort: ENDPOINTS_PORT, protocol: 'TCP'}])
  assert.equal(container.env.find(({name}) => name === 'METRICS_PORT')?.value, String(ENDPOINTS_PORT))
  const probes = [container.readinessProbe, container.livenessProbe].map(({httpGet}) => httpGet)
  for (const {path, port} of probes) {
    assert.equal(port, 'metrics')
    assert.equal((await first.ask(path)).status, 200, path)
  }
  const {text} = await first.ask('/metrics')
  const metrics = metricsIn(text)
  const documented = metricsOf(docs)
  assert.deepEqual(
    metrics.declared,
    documented.map((metric) => metric.split(' ', 2).join(' ')),
  )
  assert.ok(metrics.labelled.length > 6)
  for (const metric of metrics.labelled) assert.ok(documented.includes(metric), metric)
  const second = await stage.startAgent(installed, inNamespace)
  t.after(() => second.stop())
  await eventually('a second to stand by', async () => (await ready(second)) === 'standby\n')
  assert.equal((await second.ask('/readyz')).status, 200)
  assert.equal(await first.stop(), 0)
  await eventually('the second to lead', async () => (await ready(second)) === 'leading\n')

  // A Lease that somebody deleted, and the end of the app.
  await stage.kubectl(['delete', 'lease/drawbridge-agent', '--namespace', inNamespace])
  await eventually('a new Lease', async () =>
    stage.kubectl(['get', 'lease/drawbridge-agent', '--namespace', inNamespace]).then(
      () => true,
      () => false,
    ),
  )
  await eventually('the second to lead again', async () => (await ready(second)) === 'leading\n')
  await stage.publisher.publish({}, {removed: {home: 'Delete'}})
  await eventually('the end of the App object', async () => {
    const left = await stage.kubectl(['get', 'apps.drawbridge.dev', '--namespace', inNamespace, '--output', 'name'])
    return left === ''
  })
  assert.equal(await second.stop(), 0)

  const requests = await stage.audit.read(`system:serviceaccount:${inNamespace}:drawbridge-agent`)
  assertNoneRefused(requests)
  const seen = (verb: string, name: string) =>
    requests.some(({resource, ...request}) => request.verb === verb && resource?.name === name)
  assert.ok(seen('list', 'pods') && seen('list', 'events') && seen('get', 'customresourcedefinitions'))
  assert.ok(requests.some(({impersonated}) => impersonated === 'system:serviceaccount:homes:drawbridge-deployer'))
  const granted = await grantedRights(stage, inNamespace)
  const used = usedRights(requests, inNamespace)
  assert.deepEqual(
    [...granted].filter((right) => !used.has(right)),
    [],
  )
})

test('profile tenant gives the agent itself no way to secrets, to more rights or to its own trust root', async (t) => {
  await makeTenant('rights', 'deployer')
  const deploymentOfAgent = await install(t, 'tenant', 'tenant-rights', ['--impersonate', 'rights/deployer'])
  const agent = await stage.clientOf('tenant-rights', 'drawbridge-agent')
  const rbac = '/apis/rbac.authorization.k8s.io/v1'
  const own = '/api/v1/namespaces/tenant-rights'
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  const [volume] = deploymentOfAgent.spec.template.spec.volumes as {configMap: {name: string}}[]
  const trustRoot = volume?.configMap.name ?? ''
  assert.match(trustRoot, /^drawbridge-trust-root-/)
  const wide = {metadata: {name: 'wide'}, rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]}
  const map = {metadata: {name: 'x'}}
  const refused: [string, Parameters<typeof statusOf>[1], string, object?][] = [
    ['Secrets of another namespace', 'GET', '/api/v1/namespaces/default/secrets'],
    ['Secrets of its own', 'GET', `${own}/secrets`],
    ['all Secrets', 'GET', '/api/v1/secrets'],
    ['a ClusterRole', 'POST', `${rbac}/clusterroles`, wide],
    ['its own ClusterRole', 'PATCH', `${rbac}/clusterroles/drawbridge-agent`, {rules: wide.rules}],
    ['its own Role', 'PATCH', `${rbac}/namespaces/tenant-rights/roles/drawbridge-agent`, {rules: wide.rules}],
    ['a binding', 'DELETE', `${rbac}/clusterrolebindings/drawbridge-agent`],
    ['a ConfigMap elsewhere', 'POST', '/api/v1/namespaces/default/configmaps', map],
    ['a pod in its own namespace', 'POST', `${own}/pods`, {...map, spec: {containers: [{name: 'a', image: 'a'}]}}],
    [
      'its own Deployment',
      'PATCH',
      '/apis/apps/v1/namespaces/tenant-rights/deployments/drawbridge-agent',
      {spec: {replicas: 0}},
    ],
    ['a namespace', 'POST', '/api/v1/namespaces', map],
    ['a token of an app', 'POST', '/api/v1/namespaces/rights/serviceaccounts/deployer/token', {spec: {}}],
    ['an App object elsewhere', 'POST', '/apis/drawbridge.dev/v1alpha1/namespaces/default/apps', map],
    ['an Event elsewhere', 'POST', '/apis/events.k8s.io/v1/namespaces/default/events', map],
    ['what it told before', 'DELETE', '/apis/events.k8s.io/v1/namespaces/tenant-rights/events/x'],
    ['the definition of App objects', 'PATCH', `${definitions}/apps.drawbridge.dev`, {spec: {scope: 'Cluster'}}],
    ['any other definition', 'GET', `${definitions}/certificates.cert-manager.io`],
    ['the log of a pod', 'GET', '/api/v1/namespaces/rights/pods/web/log'],
    ['another Lease', 'GET', '/apis/coordination.k8s.io/v1/namespaces/tenant-rights/leases/other'],
  ]
  for (const [what, method, path, body] of refused) assert.equal(await statusOf(agent, method, path, body), 403, what)
  const other = {data: {'trust-root.json': 'mine'}}
  assert.equal(
    await statusOf(agent, 'PATCH', `${own}/configmaps/${trustRoot}`, other),
    422,
    'the trust root is immutable',
  )
  for (const user of ['system:serviceaccount:rights:other', 'system:serviceaccount:default:deployer', 'admin']) {
    const impersonated = agent.send({method: 'GET', path: '/api', what: 'impersonate', impersonate: user, attempts: 1})
    await assert.rejects(impersonated, /cannot impersonate/, user)
  }
  const deployer = {impersonate: 'system:serviceaccount:rights:deployer', what: 'impersonate', method: 'GET'} as const
  assert.equal((await agent.send({...deployer, path: '/api/v1/namespaces/rights/configmaps'})).status, 200)
})

test('a tenant installation follows Secrets only where it is told to', async (t) => {
  await makeTenant('vault', 'drawbridge-deployer')
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {name: 'key', namespace: 'vault'},
    stringData: {a: 'sesame'},
  }
  const app = {vault: {manifests: [secret], serviceAccount: 'vault/drawbridge-deployer'}}
  const strict = await stage.startAgent(await install(t, 'tenant', 'secrets'), 'secrets')
  t.after(() => strict.stop())
  await stage.publisher.publish(app)
  await waitUntil(
    () => strict.lines.some((line) => line.includes('cannot list resource \\"secrets\\"')),
    () => strict.lines.join('\n'),
  )
  const found = async () => statusOf(stage.admin, 'GET', '/api/v1/namespaces/vault/secrets/key')
  assert.equal(await found(), 404)
  await install(t, 'tenant', 'secrets', ['--watch', 'secrets'])
  await waitUntil(
    async () => (await found()) === 200,
    () => strict.lines.join('\n'),
    60_000,
  )
  assert.ok(!strict.lines.some((line) => line.includes('sesame')))
})

test('helm installs the chart by the commands of docs/agent.md, and takes it away again', async (t) => {
  const inNamespace = (words: string) => words.replaceAll('drawbridge-system', 'by-helm').split(' ')
  const prepare = commandsOf(docs, '3. Install', 'kubectl').filter((command) => /^(?:create|label) /.test(command))
  for (const command of prepare) await stage.kubectl(inNamespace(command))
  const [command = ''] = commandsOf(docs, '3. Install', 'helm')
  const values: Record<string, string> = {Image: 'registry.example/agent:1'}
  for (const [index, flag] of stage.flags.entries()) {
    const name = flag.replace(/^--/, '').replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase())
    values[name] = stage.flags[index + 1] ?? ''
  }
  const filled = command.replaceAll(/<(\w+)>/g, (_, name: string) => values[name] ?? `no value of ${name}`)
  const installChart = inNamespace(filled.replace('=trust-root.json', `=${values.TrustRoot}`))
  const uninstall = ['uninstall', 'drawbridge-agent', '--namespace', 'by-helm']
  t.after(() => stage.kubectl(['delete', 'clusterrolebinding/drawbridge-agent', '--ignore-not-found', '--wait=false']))
  const found = async () =>
    statusOf(stage.admin, 'GET', '/apis/apps/v1/namespaces/by-helm/deployments/drawbridge-agent')
  const definition = async () =>
    statusOf(stage.admin, 'GET', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/apps.drawbridge.dev')
  // The tests before brought the definition by kubectl.
  await stage.kubectl(['apply', '--filename', definitionFile])
  await stage.helm([...installChart, '--take-ownership'])
  assert.equal(await found(), 200)
  await stage.helm(uninstall)
  assert.deepEqual([await found(), await definition()], [404, 200])
  await stage.helm(installChart)
  assert.equal(await found(), 200)
  await stage.helm(uninstall)
  for (const last of commandsOf(docs, 'Remove', 'kubectl').filter((candidate) => !candidate.includes(' -f ')))
    await stage.kubectl(inNamespace(last))
  assert.equal(await definition(), 404)
})

test('a change of profile is refused by the API server until the old binding is deleted; then all is removed again', async (t) => {
  await install(t, 'platform', 'switch')
  await assert.rejects(install(t, 'tenant', 'switch'), /cannot change roleRef/)
  const [command = ''] = commandsOf(docs, 'Change', 'kubectl')
  await stage.kubectl(command.split(' '))
  await install(t, 'tenant', 'switch')
  const agent = await stage.clientOf('switch', 'drawbridge-agent')
  await waitUntil(async () => (await statusOf(agent, 'GET', '/api/v1/secrets')) === 403, 'the rights to be gone')

  // And all of it goes by the one command that the documentation names.
  const {stdout} = await runCli(['agent', 'manifests', '--profile', 'tenant', '--namespace', 'switch'])
  const [remove = ''] = commandsOf(docs, 'Remove', 'kubectl')
  await stage.kubectl([...remove.replace('agent.yaml', '-').split(' '), '--ignore-not-found'], stdout)
  for (const path of [
    '/api/v1/namespaces/switch',
    '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/apps.drawbridge.dev',
    '/apis/rbac.authorization.k8s.io/v1/clusterroles/drawbridge-agent',
  ]) {
    assert.equal(await statusOf(stage.admin, 'GET', path), 404, path)
  }
})

/** A namespace with a ServiceAccount that may do there what its apps need, made by the commands of docs/agent.md. */
async function makeTenant(name: string, serviceAccount: string): Promise<void> {
  await create('/api/v1/namespaces', {metadata: {name}})
  const commands = commandsOf(docs, 'Tenants', 'kubectl')
  assert.equal(commands.length, 5)
  for (const command of commands) {
    const named = command
      .replaceAll('drawbridge-deployer', serviceAccount)
      .replaceAll('drawbridge-words', `${serviceAccount}-words`)
      .replaceAll(/\bweb\b/g, name)
    await stage.kubectl(named.split(' '))
  }
}
