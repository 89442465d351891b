import type {DesiredApp} from '#shared/model/desired-state.ts'
import type {Finding} from '#shared/model/outcome.ts'
import type {Sweep} from '#shared/model/push-event.ts'
import {sameRepository} from '#shared/model/repository-url.ts'
import {fullRef} from '#shared/model/revision.ts'
import {trackedKey} from './find-declarations.ts'
import type {Head} from './open-sources.ts'
import type {DesiredHint} from './read-desired-hints.ts'
import {createOutcome} from './render-head.ts'
import type {RenderMemory} from './render-memory.ts'
import type {RenderConfig, RenderPorts} from './render-ports.ts'

/**
 * Tells of apps that clusters run and whose declaration is not tracked any more: nobody brings them up to date, and nothing removes them.
 * Where it is not known which ref a repository's HEAD is, its declarations count as tracked. Rejects with `QueueError`.
 */
export async function tellUntracked(
  ports: RenderPorts,
  {repositories}: RenderConfig,
  {trace}: Sweep,
  memory: RenderMemory,
  desired: ReadonlyMap<string, DesiredHint>,
): Promise<void> {
  const isTracked = (repository: string, ref: string): boolean =>
    repositories.some((entry) => {
      if (!sameRepository(entry.url, repository)) return false
      return (entry.ref === undefined ? (memory.heads.get(trackedKey(entry))?.ref ?? ref) : fullRef(entry.ref)) === ref
    })
  const left = new Map<string, {cluster: string; app: Extract<DesiredApp, {state: 'present'}>}[]>()
  for (const [cluster, {declared}] of desired) {
    for (const [key, apps] of declared) {
      const [first] = apps
      if (first === undefined || isTracked(first.declaredIn.repository, first.declaredIn.ref)) continue
      const found = left.get(key) ?? []
      left.set(key, found)
      for (const app of apps) if (app.state === 'present') found.push({cluster, app})
    }
  }
  for (const found of left.values()) {
    const head = headOf(found.map(({app}) => app))
    if (head === undefined) continue
    const findings = found.map(({cluster, app}) => untracked(app.name, cluster))
    const outcome = createOutcome(ports, head, {findings, warnings: []}, trace)
    if (memory.isRepeated(outcome)) continue
    await ports.outcomes.send(JSON.stringify(outcome))
    memory.remember(outcome)
  }
}

/** The declaration, at a commit that is known of it. */
function headOf(apps: readonly Extract<DesiredApp, {state: 'present'}>[]): Head | undefined {
  const own = apps.find(({source, declaredIn}) => sameRepository(source.repository, declaredIn.repository)) ?? apps[0]
  return own && {...own.declaredIn, commit: own.source.commit}
}

function untracked(app: string, cluster: string): Finding {
  return {
    code: 'DECLARATION_NOT_TRACKED',
    message: `its declaration is not tracked any more, so cluster ${cluster} keeps it as it is. To remove it, track the repository and ref again and take the App out of drawbridge.yaml`,
    app,
    cluster,
  }
}
