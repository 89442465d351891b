import type {BundleErrorCode} from '#shared/bundle/bundle-error.ts'
import type {App, Cluster} from '#shared/model/app.ts'
import type {RepositoryPolicy} from '#shared/model/tracked-repository.ts'
import type {ParsedConfig} from '../parse-config.ts'
import type {Place, RenderErrorCode} from '../render-error.ts'
import type {RenderedApp} from './render-in-box.ts'

/** What a worker is asked for. */
export type WorkerJob =
  /** One app for some clusters. `scope` names whose it is: a declaration at a commit; `clock` is in milliseconds. */
  | {
      kind: 'render'
      scope: string
      app: App
      clusters: readonly Cluster[]
      policy: RepositoryPolicy | undefined
      clock: number
    }
  /** What a drawbridge.yaml declares. */
  | {kind: 'config'; text: string}
  /** Nothing yet: a program is started for the first render. */
  | {kind: 'warm'}

/** What a worker says: of a render one `rendered` or `failed` for each cluster, in order; of a drawbridge.yaml `config`; then `done`. */
export type WorkerReply =
  | {kind: 'rendered'; rendered: RenderedApp}
  | {
      kind: 'failed'
      cluster: string
      /** Absent for a fault of Drawbridge's own. */
      code: RenderErrorCode | BundleErrorCode | undefined
      message: string
      place: Place
    }
  | {kind: 'config'; parsed: ParsedConfig}
  | {kind: 'done'}
