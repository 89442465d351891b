import type {BundleHeader} from '../bundle/bundle-header.ts'
import {API_VERSION} from '../model/api-version.ts'
import type {PresentApp} from '../model/desired-state.ts'
import {digestHex} from '../model/digest.ts'
import {keys} from '../model/keys.ts'
import {PREDICATE_TYPE, STATEMENT_TYPE, type Statement} from './statement.ts'

/** States where an app's bundle came from. */
export function createStatement({
  app,
  cluster,
  header,
}: {
  app: PresentApp
  cluster: string
  header: BundleHeader
}): Statement {
  return {
    _type: STATEMENT_TYPE,
    subject: [{name: keys.bundle(app.bundle.digest), digest: {sha256: digestHex(app.bundle.digest)}}],
    predicateType: PREDICATE_TYPE,
    predicate: {
      apiVersion: API_VERSION,
      app: app.name,
      cluster,
      declaredIn: app.declaredIn,
      source: app.source,
      inputs: header.inputs,
      renderer: header.renderer,
      bundle: {size: app.bundle.size, objects: app.bundle.objects},
      traceparent: app.trace.traceparent,
    },
  }
}
