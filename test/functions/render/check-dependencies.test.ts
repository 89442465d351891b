import assert from 'node:assert/strict'
import {test} from 'node:test'
import {checkDependencies} from '#functions/render/check-dependencies.ts'
import {type App, appSchema} from '#shared/model/app.ts'

function app(name: string, dependsOn: {name: string; readyExpr?: string}[] = []): App {
  const spec = {clusters: ['dev'], dependsOn}
  return appSchema.parse({apiVersion: 'drawbridge.dev/v1alpha1', kind: 'App', metadata: {name}, spec})
}

test('tells every app of a cycle, with its path: none of them can go on', async () => {
  const apps = [app('a', [{name: 'b'}]), app('b', [{name: 'c'}]), app('c', [{name: 'a'}]), app('d', [{name: 'd'}])]
  const messages = (await checkDependencies(apps)).map(({message}) => message)
  assert.equal(messages.length, 4)
  assert.match(messages[0] ?? '', /App a, dependsOn: apps depend on each other: a → b → c → a/)
  assert.match(messages[1] ?? '', /App b, dependsOn: .*a → b → c → a/)
  assert.match(messages[3] ?? '', /d → d/)
})

test('takes a diamond, and an app of another declaration, as they are', async () => {
  const top = app('top', [{name: 'left'}, {name: 'right'}])
  const apps = [top, app('left', [{name: 'base'}]), app('right', [{name: 'base'}]), app('base', [{name: 'elsewhere'}])]
  assert.deepEqual(await checkDependencies(apps), [])
})

test('finds a ready expression that cannot be compiled', async () => {
  const [found] = await checkDependencies([app('a', [{name: 'b', readyExpr: 'dep.ready =='}]), app('b')])
  assert.match(found?.message ?? '', /App a, dependsOn: CEL expression/)
})
