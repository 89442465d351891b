import {countHeld} from '#agent/count-held.ts'
import {createInventoryStore} from '#agent/inventory-store.ts'
import type {ResourceType} from '#agent/kube/kube-client.ts'
import {isKubeError} from '#agent/kube/kube-error.ts'
import {annotationsOf, type KubeObject, labelOf, metaText} from '#agent/kube/kube-object.ts'
import {APP_LABEL} from '#agent/marks.ts'
import {declares, isEmpty, isFormerRun} from '#agent/plan-objects.ts'
import type {PresentApp} from '#shared/model/desired-state.ts'
import {describeError} from '#shared/model/drawbridge-error.ts'
import {type ObjectRef, refKey} from '#shared/model/object-ref.ts'
import {guardPrune} from '#shared/plan/guard-prune.ts'
import type {InventoryEntry} from '#shared/plan/inventory.ts'
import {isPrunedLast, mostPruned, orderPrune} from '#shared/plan/order-prune.ts'
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

export interface PruneDiffOptions {
  sync: Pick<PresentApp['sync'], 'prune' | 'allowEmpty' | 'pruneLimit'>
  agentNamespace: string
  warn: (line: string) => void
}

/** One object that is no longer declared, and still there. */
interface Former {
  entry: InventoryEntry
  type: ResourceType
  live: KubeObject
}

/** Says which of an app's former objects would be deleted, in the order of the deletions, and which stay. */
export async function diffPrune(
  ports: DiffPorts,
  app: DiffApp,
  inventories: Inventories,
  options: PruneDiffOptions,
): Promise<ObjectChange[]> {
  if (!options.sync.prune) return []
  const former = inventories === undefined ? await findLabelled(ports, app.name) : (inventories.get(app.name) ?? [])
  const gone = former.filter((entry) => !declares(app.planned, refKey(entry.ref)) && !isFormerRun(app.planned, entry))
  const found = new Map<string, Former>()
  for (const one of await Promise.all(gone.map((entry) => ports.limit.run(() => readFormer(ports, entry))))) {
    if (one !== undefined) found.set(refKey(one.entry.ref), one)
  }
  const ours = new Set(found.keys())
  const refused = judgeWhole(app, former, gone, options.sync)
  const first = app.planned.steps.reduce((stages, step) => stages + step.stages.length, 1)
  const changes = await Promise.all(
    stagesOf([...found.values()]).flatMap((refs, index) =>
      refs.flatMap((ref) => {
        const one = found.get(refKey(ref))
        const change = {ref, stage: first + index, fields: []}
        if (one === undefined) return []
        return [ports.limit.run(() => judge(ports, app, one, change, refused, {...options, ours}))]
      }),
    ),
  )
  return changes
}

async function readFormer(ports: DiffPorts, entry: InventoryEntry): Promise<Former | undefined> {
  const type = await ports.discovery.find(entry.version, entry.ref.kind)
  const live = type === undefined ? 'absent' : await ports.kube.get(type, entry.ref, 'metadata')
  return type === undefined || live === 'absent' ? undefined : {entry, type, live}
}

function stagesOf(found: readonly Former[]): ObjectRef[][] {
  const [first, last] = [false, true].map((atEnd) =>
    orderPrune(
      found
        .map(({entry: {ref}, type, live}) => ({
          ref,
          annotations: annotationsOf(live),
          definition: `${type.plural}.${type.group}`,
        }))
        .filter(({annotations}) => isPrunedLast(annotations) === atEnd),
    ),
  )
  return [...(first ?? []), ...(last ?? [])]
}

/** What stops the prune as a whole; undefined where nothing does. */
function judgeWhole(
  app: DiffApp,
  former: readonly InventoryEntry[],
  gone: readonly InventoryEntry[],
  {allowEmpty, pruneLimit}: PruneDiffOptions['sync'],
): Pick<ObjectChange, 'action' | 'reason'> | undefined {
  if (isEmpty(app.planned) && !allowEmpty) {
    return {action: 'keep', reason: 'the app renders to nothing; set sync.allowEmpty to let that prune everything'}
  }
  const total = former.filter(({hook}) => hook === undefined).length
  const lost = gone.filter(({hook, ref}) => hook === undefined && app.declaredBy(refKey(ref)).length === 0).length
  const most = mostPruned(pruneLimit, total)
  if (lost <= most) return undefined
  const reason = `sync.pruneLimit allows ${Math.floor(most)} of the ${lost} deletions, so that nothing of the app is changed until it is raised or somebody approves`
  return {action: 'refused', reason}
}

async function judge(
  ports: DiffPorts,
  app: DiffApp,
  {entry, type, live}: Former,
  change: Pick<ObjectChange, 'ref' | 'stage' | 'fields'>,
  refused: Pick<ObjectChange, 'action' | 'reason'> | undefined,
  options: PruneDiffOptions & {ours: ReadonlySet<string>},
): Promise<ObjectChange> {
  const {ref} = entry
  const [claimant] = app.declaredBy(refKey(ref))
  if (claimant !== undefined) return {...change, action: 'keep', reason: `app ${claimant} declares it now`}
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
  if (decision.action !== 'delete') return {...change, action: 'keep', reason: decision.reason}
  return refused === undefined ? {...change, action: 'prune'} : {...change, ...refused}
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
