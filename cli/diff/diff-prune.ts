import {countHeld} from '#agent/count-held.ts'
import {createInventoryStore} from '#agent/inventory-store.ts'
import {isKubeError} from '#agent/kube/kube-error.ts'
import {annotationsOf, labelOf, metaText} from '#agent/kube/kube-object.ts'
import {APP_LABEL} from '#agent/marks.ts'
import {declares} from '#agent/plan-objects.ts'
import {describeError} from '#shared/model/drawbridge-error.ts'
import {type ObjectRef, refKey} from '#shared/model/object-ref.ts'
import {guardPrune} from '#shared/plan/guard-prune.ts'
import type {InventoryEntry} from '#shared/plan/inventory.ts'
import {pruneOrder} from '#shared/plan/order-objects.ts'
import type {ObjectChange} from './change.ts'
import type {DiffApp, DiffPorts} from './diff-objects.ts'

/** What apps applied before, as the cluster remembers it; undefined where that cannot be read. */
export type Inventories = ReadonlyMap<string, readonly InventoryEntry[]> | undefined

/** Reads the agent's inventories. What cannot be read is told to `warn`; the owner label then says what is an app's. */
export async function readInventories(
  ports: DiffPorts,
  agentNamespace: string,
  warn: (line: string) => void,
): Promise<Inventories> {
  try {
    const found = await createInventoryStore(ports.kube, agentNamespace).loadAll()
    const readable = new Map<string, readonly InventoryEntry[]>()
    for (const [app, {entries}] of found) {
      if (Array.isArray(entries)) readable.set(app, entries)
      else warn(`app ${app}: ${entries.message}; nothing of it is pruned`)
    }
    return readable
  } catch (error) {
    if (!isKubeError(error, 'FORBIDDEN')) throw error
    warn(
      `the agent's inventories in namespace ${agentNamespace} cannot be read, so prunes go by the label ${APP_LABEL}: ${describeError(error)}`,
    )
    return undefined
  }
}

/** Says which of an app's former objects would be deleted, in the order of the deletions, and which stay. */
export async function diffPrune(
  ports: DiffPorts,
  app: DiffApp,
  inventories: Inventories,
  options: {prune: boolean; allowEmpty: boolean; agentNamespace: string; warn: (line: string) => void},
): Promise<ObjectChange[]> {
  if (!options.prune) return []
  const former = inventories === undefined ? await findLabelled(ports, app.name) : (inventories.get(app.name) ?? [])
  const gone = former.filter(({ref}) => !declares(app.planned, refKey(ref)))
  const entries = new Map(gone.map((entry) => [refKey(entry.ref), entry]))
  const ours = new Set(entries.keys())
  const first = app.planned.steps.reduce((stages, step) => stages + step.stages.length, 1)
  const stages = pruneOrder(gone.map(({ref}) => ref))
  const changes = await Promise.all(
    stages.flatMap((refs, index) =>
      refs.map((ref) => {
        const entry = entries.get(refKey(ref))
        return ports.limit.run(async () =>
          entry === undefined ? undefined : judge(ports, app, entry, {...options, ours, stage: first + index}),
        )
      }),
    ),
  )
  return changes.filter((change) => change !== undefined)
}

async function judge(
  ports: DiffPorts,
  app: DiffApp,
  entry: InventoryEntry,
  options: {
    ours: ReadonlySet<string>
    stage: number
    allowEmpty: boolean
    agentNamespace: string
    warn: (line: string) => void
  },
): Promise<ObjectChange | undefined> {
  const {ref} = entry
  const change = (action: ObjectChange['action'], reason?: string): ObjectChange => ({
    action,
    ref,
    stage: options.stage,
    fields: [],
    ...(reason === undefined ? {} : {reason}),
  })
  const [claimant] = app.declaredBy(refKey(ref))
  if (claimant !== undefined) return change('keep', `app ${claimant} declares it now`)
  const type = await ports.discovery.find(entry.version, ref.kind)
  const live = type === undefined ? 'absent' : await ports.kube.get(type, ref, 'metadata')
  if (type === undefined || live === 'absent') return undefined
  if (app.planned.objects.size === 0 && !options.allowEmpty) {
    return change('keep', 'the app renders to nothing; set sync.allowEmpty to let that prune everything')
  }
  const decision = guardPrune(
    {
      ref,
      app: app.name,
      appliedUid: entry.uid,
      live: {
        uid: live.metadata.uid,
        owner: labelOf(live, APP_LABEL),
        annotations: annotationsOf(live),
        deleting: metaText(live, 'deletionTimestamp') !== '',
        held: await countHeld({kube: ports.kube, log: (_, message) => options.warn(message)}, type, ref, options.ours),
      },
    },
    [options.agentNamespace],
  )
  return decision.action === 'delete' ? change('prune') : change('keep', decision.reason)
}

/** Everything in the cluster that carries an app's mark, of every kind that may be listed. */
async function findLabelled(ports: DiffPorts, app: string): Promise<InventoryEntry[]> {
  const found: InventoryEntry[] = []
  const seen = new Set<string>()
  for (const apiVersion of await ports.kube.listApiVersions()) {
    const types = await ports.kube.listTypes(apiVersion)
    if (types === 'absent') continue
    for (const type of types.filter(({listable}) => listable !== false)) {
      try {
        const {items} = await ports.kube.list(type, {detail: 'metadata', labelSelector: `${APP_LABEL}=${app}`})
        for (const item of items) {
          // What a controller made carries its owner's labels at times, and goes with its owner.
          if (Array.isArray(item.metadata.ownerReferences) || seen.has(item.metadata.uid)) continue
          seen.add(item.metadata.uid)
          const ref: ObjectRef = {
            group: type.group,
            kind: type.kind,
            namespace: metaText(item, 'namespace'),
            name: item.metadata.name,
          }
          found.push({ref, version: apiVersion, applied: '', fields: '', uid: item.metadata.uid})
        }
      } catch (error) {
        if (!isKubeError(error, 'FORBIDDEN', 'NOT_FOUND', 'REJECTED', 'UNAVAILABLE')) throw error
      }
    }
  }
  return found
}
