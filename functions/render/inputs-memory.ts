import type {App, Cluster} from '#shared/model/app.ts'
import type {Digest} from '#shared/model/digest.ts'
import type {Head} from './open-sources.ts'

/** What came of apps' renders at a commit: while an app's source stands there, its tree need not be opened to know its inputs. */
export interface InputsMemory {
  get(app: App, cluster: Cluster, source: Head): Digest | undefined
  set(app: App, cluster: Cluster, source: Head, inputs: Digest): void
}

/** Creates a memory that lasts as long as the parsed declaration does: another drawbridge.yaml has apps of its own. */
export function createInputsMemory(): InputsMemory {
  const known = new WeakMap<App, WeakMap<Cluster, {source: string; inputs: Digest}>>()
  return {
    get(app, cluster, source) {
      const found = known.get(app)?.get(cluster)
      return found?.source === nameOf(source) ? found.inputs : undefined
    },
    set(app, cluster, source, inputs) {
      const ofApp = known.get(app) ?? new WeakMap()
      known.set(app, ofApp)
      ofApp.set(cluster, {source: nameOf(source), inputs})
    },
  }
}

function nameOf({repository, commit}: Head): string {
  return `${repository} ${commit}`
}
