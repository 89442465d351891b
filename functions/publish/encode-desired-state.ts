import {canonicalJson} from '#shared/bundle/canonical-json.ts'
import type {DesiredApp, DesiredState} from '#shared/model/desired-state.ts'

/** An app's entry is never changed once it is made, and most of them go from one version into the next. */
const texts = new WeakMap<DesiredApp, string>()

/** Writes a desired state as canonical JSON (RFC 8785), each app once in the life of its entry. The apps must not be changed afterwards. */
export function encodeDesiredState(desired: DesiredState): Uint8Array {
  // `apps` holds the only empty list, and no text before it can hold its name in quotes.
  const [head = '', tail] = splitOnce(canonicalJson({...desired, apps: []}), '"apps":[')
  return Buffer.from(`${head}"apps":[${desired.apps.map(encodeApp).join(',')}${tail}`)
}

function encodeApp(app: DesiredApp): string {
  const known = texts.get(app)
  if (known !== undefined) return known
  const text = canonicalJson(app)
  texts.set(app, text)
  return text
}

function splitOnce(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark)
  return [text.slice(0, at), text.slice(at + mark.length)]
}
