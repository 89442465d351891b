import type {BundleErrorCode} from '#shared/bundle/bundle-error.ts'
import type {App, Cluster} from '#shared/model/app.ts'
import type {Place, RenderErrorCode} from '../render-error.ts'
import type {RenderedApp} from './render-in-box.ts'

/** One app to be rendered for some clusters. `scope` names whose it is: a declaration at a commit; `clock` is in milliseconds. */
export interface WorkerJob {
  scope: string
  app: App
  clusters: readonly Cluster[]
  clock: number
}

/** What a worker says: one `rendered` or `failed` for each cluster of a job, in order, then `done`. */
export type WorkerReply =
  | {kind: 'ready'}
  | {kind: 'rendered'; rendered: RenderedApp}
  | {
      kind: 'failed'
      cluster: string
      /** Absent for a fault of Drawbridge's own. */
      code: RenderErrorCode | BundleErrorCode | undefined
      message: string
      place: Place
    }
  | {kind: 'done'}
