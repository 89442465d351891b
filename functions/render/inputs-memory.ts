import type {App, Cluster} from '#shared/model/app.ts'
import type {Digest} from '#shared/model/digest.ts'
import type {Finding} from '#shared/model/outcome.ts'
import type {Head} from './open-sources.ts'

/** What came of apps' renders at a commit: while an app's source stands there, its tree need not be opened to know its inputs. */
export interface InputsMemory {
  get(app: App, cluster: Cluster, source: Head): KnownInputs | undefined
  set(app: App, cluster: Cluster, source: Head, known: KnownInputs): void
}

/** What a render would come of, and what it would warn of. */
export interface KnownInputs {
  inputs: Digest
  warnings: readonly Finding[]
}

/** Creates a memory that lasts as long as the parsed declaration does: another drawbridge.yaml has apps of its own. */
export function createInputsMemory(): InputsMemory {
  const known = new WeakMap<App, WeakMap<Cluster, {source: string; known: KnownInputs}>>()
  return {
    get(app, cluster, source) {
      const found = known.get(app)?.get(cluster)
      return found?.source === nameOf(source) ? found.known : undefined
    },
    set(app, cluster, source, {inputs, warnings}) {
      const ofApp = known.get(app) ?? new WeakMap()
      known.set(app, ofApp)
      ofApp.set(cluster, {source: nameOf(source), known: {inputs, warnings}})
    },
  }
}

function nameOf({repository, commit}: Head): string {
  return `${repository} ${commit}`
}
