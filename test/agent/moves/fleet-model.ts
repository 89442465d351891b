import type {Manifest} from '#shared/model/manifest.ts'
import type {TestApp} from '../publish-state.ts'
import {configMap} from '../start-test-agent.ts'

/** An object that several apps may declare. */
export interface SharedObject {
  namespace: string
  name: string
}

/** An app of the fleet: whose it is, and where that tenant may write. */
export interface FleetApp {
  name: string
  tenant: string
  serviceAccount: string
  namespaces: ReadonlySet<string>
}

/** What one push makes of one app and one object. */
export interface Step {
  kind: 'claim' | 'move' | 'revoke' | 'change' | 'remove' | 'mend'
  app: number
  object: number
}

/** What is published of three apps of two tenants, and what must become of it. */
export interface FleetModel {
  readonly apps: readonly FleetApp[]
  readonly objects: readonly SharedObject[]
  perform(step: Step): void
  /** What to publish now. */
  published(): {apps: Record<string, TestApp>; removed: Record<string, 'Delete'>}
  isPresent(app: string): boolean
  declares(app: string, object: SharedObject): boolean
  /** Present apps that declare an object and may write it. */
  ableToOwn(object: SharedObject): FleetApp[]
  /** Whether an app declares what it may not write. */
  overreaches(app: string): boolean
  versionOf(app: string): string
}

/** Creates the model; `own` names the namespaces: two tenants', one that both may write. */
export function createFleetModel(own: {one: string; two: string; both: string}): FleetModel {
  const tenant = (name: string) => ({
    tenant: name,
    serviceAccount: `${name}/deployer`,
    namespaces: new Set([name, own.both]),
  })
  const apps: FleetApp[] = [
    {name: 'alpha', ...tenant(own.one)},
    {name: 'beta', ...tenant(own.two)},
    {name: 'gamma', ...tenant(own.one)},
  ]
  const objects = [own.both, own.both, own.both, own.both, own.one, own.one, own.two, own.two].map(
    (namespace, index): SharedObject => ({namespace, name: `shared-${index}`}),
  )
  const declared = new Map(apps.map(({name}) => [name, new Set<SharedObject>()]))
  const present = new Set(apps.map(({name}) => name))
  const versions = new Map(apps.map(({name}) => [name, 1]))
  const setOf = (app: string) => declared.get(app) ?? new Set()

  function manifestsOf({name, tenant: space}: FleetApp): Manifest[] {
    const v = `${name} ${versions.get(name)}`
    const shared = [...setOf(name)].map((object) => configMap(object.namespace, object.name, {v}))
    return [configMap(space, `own-of-${name}`, {v}), ...shared]
  }

  /** Gives up what it may not write, and what others declare too. */
  function mend({name, namespaces}: FleetApp): void {
    for (const object of setOf(name)) {
      const others = apps.some((other) => other.name !== name && setOf(other.name).has(object))
      if (others || !namespaces.has(object.namespace)) setOf(name).delete(object)
    }
  }

  return {
    apps,
    objects,
    perform({kind, app: appIndex, object: objectIndex}) {
      const object = objects[objectIndex % objects.length]
      const turned = [...apps.slice(appIndex), ...apps.slice(0, appIndex)]
      // What moves, moves to where it may be; anybody may claim anything.
      const mayMove = ({namespaces}: FleetApp): boolean => object !== undefined && namespaces.has(object.namespace)
      const app = kind === 'move' ? turned.find(mayMove) : turned[0]
      if (app === undefined || object === undefined) return
      const {name} = app
      if (kind === 'remove' && present.delete(name)) return
      // Whatever else is done to an app adds it again.
      present.add(name)
      if (kind === 'change') versions.set(name, (versions.get(name) ?? 0) + 1)
      else if (kind === 'revoke') setOf(name).delete(object)
      else if (kind === 'mend') mend(app)
      else if (kind !== 'remove') {
        if (kind === 'move') for (const set of declared.values()) set.delete(object)
        setOf(name).add(object)
      }
    },
    published() {
      const entries = apps.filter(({name}) => present.has(name))
      return {
        apps: Object.fromEntries(
          entries.map((app): [string, TestApp] => [
            app.name,
            {manifests: manifestsOf(app), serviceAccount: app.serviceAccount, sync: {preflight: 'never'}},
          ]),
        ),
        removed: Object.fromEntries(apps.flatMap(({name}) => (present.has(name) ? [] : [[name, 'Delete' as const]]))),
      }
    },
    isPresent: (app) => present.has(app),
    declares: (app, object) => present.has(app) && setOf(app).has(object),
    ableToOwn: (object) =>
      apps.filter(
        ({name, namespaces}) => present.has(name) && namespaces.has(object.namespace) && setOf(name).has(object),
      ),
    overreaches: (name) =>
      [...setOf(name)].some(({namespace}) => apps.find((app) => app.name === name)?.namespaces.has(namespace) !== true),
    versionOf: (app) => `${app} ${versions.get(app)}`,
  }
}
