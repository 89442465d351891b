import assert from 'node:assert/strict'
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {test} from 'node:test'
import {parseBridgeConfig} from '#infra/aws/bridge-config.ts'
import {BridgeConfigError} from '#infra/aws/bridge-config-error.ts'
import {loadConfig, loadConfigFile} from '#infra/aws/load-config.ts'

const repositories = [{url: 'https://github.com/example/fleet.git'}]

function refusal(act: () => unknown): BridgeConfigError {
  try {
    act()
  } catch (error) {
    if (error instanceof BridgeConfigError) return error
    throw error
  }
  return assert.fail('it was taken')
}

test('fills in the defaults', () => {
  const config = parseBridgeConfig({repositories, clusters: [{name: 'a'}]}, 'here')
  assert.equal(config.stackName, 'Drawbridge')
  assert.equal(config.sweepMinutes, 10)
  assert.deepEqual(config.clusters, [
    {
      name: 'a',
      identity: {kind: 'pod-identity', namespace: 'drawbridge-system', serviceAccount: 'drawbridge-agent'},
    },
  ])
})

test('lists every problem at once, with its path', () => {
  const error = refusal(() =>
    parseBridgeConfig(
      {repositories: [{url: 'file:///x'}], clusters: [{name: 'A'}], sweepMinutes: 0, swepMinutes: 5},
      'here',
    ),
  )
  assert.equal(error.code, 'INVALID')
  for (const part of ['in here', 'repositories.0.url', 'clusters.0.name', 'sweepMinutes', 'swepMinutes']) {
    assert.ok(error.message.includes(part), `${part} in ${error.message}`)
  }
})

test('refuses a cluster that is named twice', () => {
  const error = refusal(() => parseBridgeConfig({repositories, clusters: [{name: 'a'}, {name: 'a'}]}, 'here'))
  assert.match(error.message, /clusters\.1\.name: names "a" a second time/)
})

test('refuses a cluster whose queue name would be too long, and says what to do', () => {
  const name = 'a'.repeat(63)
  const error = refusal(() => parseBridgeConfig({repositories, clusters: [{name}]}, 'here'))
  assert.match(error.message, /of 82 characters, and SQS takes at most 80; shorten it or stackName/)
})

test('refuses a configuration without a repository', () => {
  assert.match(refusal(() => parseBridgeConfig({repositories: []}, 'here')).message, /repositories/)
})

test('takes the file before the context, and the context as an object or as text', () => {
  const folder = mkdtempSync(join(tmpdir(), 'drawbridge-config-'))
  try {
    const file = join(folder, 'config.json')
    writeFileSync(file, JSON.stringify({repositories, stackName: 'FromFile'}))
    const context = {repositories, stackName: 'FromContext'}
    assert.equal(loadConfig({DRAWBRIDGE_CONFIG: file}, context).stackName, 'FromFile')
    assert.equal(loadConfig({}, context).stackName, 'FromContext')
    assert.equal(loadConfig({}, JSON.stringify(context)).stackName, 'FromContext')
  } finally {
    rmSync(folder, {recursive: true})
  }
})

test('says what to set where there is no configuration, and which file cannot be read', () => {
  assert.equal(refusal(() => loadConfig({}, undefined)).code, 'ABSENT')
  const unreadable = refusal(() => loadConfigFile('/nowhere/config.json'))
  assert.deepEqual(
    [unreadable.code, unreadable.message],
    ['UNREADABLE', 'cannot read the configuration file /nowhere/config.json'],
  )
  assert.equal(refusal(() => loadConfig({}, '{')).code, 'UNREADABLE')
})

test('takes what a tracked repository may name, and refuses what says nothing sensible', () => {
  const policy = {clusters: ['*', '!prod'], serviceAccounts: ['team-a/*']}
  const config = parseBridgeConfig({repositories: [{...repositories[0], policy}]}, 'here')
  assert.deepEqual(config.repositories[0]?.policy, policy)
  const wrong = {repositories: [{...repositories[0], policy: {clusters: ['!prod'], namespace: ['a']}}], gitTokens: []}
  const error = refusal(() =>
    parseBridgeConfig(
      {...wrong, gitTokens: [{prefix: 'http://github.com', secret: 'a'}], gitPrivateNetworks: ['10.0.0.0/33']},
      'here',
    ),
  )
  for (const part of ['only forbids', 'namespace', 'gitTokens.0.prefix', 'gitPrivateNetworks.0'])
    assert.ok(error.message.includes(part), `${part} in ${error.message}`)
})

test('refuses more repositories than fit the environment of a function', () => {
  const many = Array.from({length: 60}, (_, index) => ({url: `https://github.com/example/a-long-name-${index}.git`}))
  assert.match(refusal(() => parseBridgeConfig({repositories: many}, 'here')).message, /room for/)
})
