import {stringifyExact} from '#shared/bundle/exact-json.ts'
import {limits} from '#shared/model/limits.ts'
import {childObject, isJsonObject, type Manifest} from '#shared/model/manifest.ts'
import {formatRef, refKey, refOf} from '#shared/model/object-ref.ts'
import {formatPlace} from '#shared/model/outcome.ts'
import {defaultNamespaces} from '#shared/plan/scope.ts'
import {checkData} from './check-data.ts'
import {type Place, RenderError} from './render-error.ts'
import type {FoundManifest} from './to-manifests.ts'

/** What the checks of an app's objects depend on besides the objects. */
export interface ManifestRules {
  /** For namespaced objects that name none. */
  namespace: string | undefined
  allowPlaintextSecrets: boolean
}

/** An App's annotation that lets it hold Secrets in plain text. */
export const ALLOW_PLAINTEXT_SECRETS = 'drawbridge.dev/allow-plaintext-secrets'

/**
 * Makes an app's objects fit to be packed: helm's test hooks are dropped, namespaces filled in. Throws `RenderError`:
 * DUPLICATE_OBJECT (naming both places), PLAINTEXT_SECRET, OBJECT_INVALID, OBJECT_TOO_LARGE. No message holds a value of an object.
 */
export function checkManifests(found: readonly FoundManifest[], rules: ManifestRules): Manifest[] {
  const kept = found.filter(({manifest}) => !isTestHook(manifest))
  const manifests = defaultNamespaces(
    kept.map(({manifest}) => manifest),
    rules.namespace,
  )
  // Where an App names no namespace the agent applies into `default`.
  const applied = defaultNamespaces(manifests, 'default')
  const seen = new Map<string, {place: Place; name: string}>()
  manifests.forEach((manifest, index) => {
    const place = kept[index]?.place ?? {}
    const name = formatRef(refOf(manifest))
    const ref = refOf(applied[index] ?? manifest)
    const key = refKey(ref)
    const first = seen.get(key)
    if (first !== undefined) {
      const what =
        first.name === name ? name : `${formatRef(ref)} (what names no namespace is applied into "${ref.namespace}")`
      const message = `${what} is declared twice: in ${nameSource(first.place)} and in ${nameSource(place)}; keep one`
      throw new RenderError('DUPLICATE_OBJECT', message, place)
    }
    seen.set(key, {place, name})
    if (!rules.allowPlaintextSecrets && isPlaintextSecret(manifest)) {
      throw new RenderError(
        'PLAINTEXT_SECRET',
        `${name} holds its data in plain text, and git keeps it for ever: use a SealedSecret or an ExternalSecret, or allow it in drawbridge.yaml, in metadata.annotations of the App: ${ALLOW_PLAINTEXT_SECRETS}: "true"`,
        place,
      )
    }
    checkData(manifest, name, place)
    checkSize(manifest, name, place)
  })
  return manifests
}

/** A helm hook for `helm test` and nothing else. */
function isTestHook(manifest: Manifest): boolean {
  const hooks = childObject(manifest.metadata, 'annotations')?.['helm.sh/hook']
  if (typeof hooks !== 'string') return false
  return hooks.split(',').every((hook) => ['test', 'test-success', 'test-failure'].includes(hook.trim()))
}

function isPlaintextSecret(manifest: Manifest): boolean {
  if (manifest.kind !== 'Secret' || manifest.apiVersion !== 'v1') return false
  const values = [manifest.data, manifest.stringData].flatMap((data) => (isJsonObject(data) ? Object.values(data) : []))
  // SOPS leaves its own key beside the encrypted values; that key alone encrypts nothing.
  return isJsonObject(manifest.sops) ? !values.every(isEncrypted) : values.length > 0
}

/** A value as SOPS writes it: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:str]`. An empty one it leaves as it is. */
function isEncrypted(value: unknown): boolean {
  return typeof value === 'string' && (value === '' || /^ENC\[AES256_GCM,data:[^\s]+\]$/.test(value))
}

function checkSize(manifest: Manifest, name: string, place: Place): void {
  // As long as its canonical form, which is only in another order, and made faster.
  const bytes = Buffer.byteLength(stringifyExact(manifest))
  if (bytes <= limits.maxObjectBytes) return
  throw new RenderError(
    'OBJECT_TOO_LARGE',
    `${name} has ${bytes} bytes; a cluster stores at most ${limits.maxObjectBytes} in one object: split it`,
    place,
  )
}

function nameSource(place: Place): string {
  return formatPlace(place) || "the renderer's output"
}
