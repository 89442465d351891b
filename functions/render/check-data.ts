import {isJsonObject, type Manifest} from '#shared/model/manifest.ts'
import {type Place, RenderError} from './render-error.ts'
import {nameType} from './to-manifests.ts'

/**
 * Throws `RenderError` OBJECT_INVALID where a Secret holds what the API server refuses: the agent has to leave out the server's words, which
 * may quote a value, and here file and key can be told. No message holds a value.
 */
export function checkData(manifest: Manifest, name: string, place: Place): void {
  // Of an encrypted one only the controller that decrypts it knows.
  if (manifest.apiVersion !== 'v1' || manifest.kind !== 'Secret' || 'sops' in manifest) return
  for (const field of ['stringData', 'data'] as const) {
    const data = manifest[field]
    if (data === undefined || data === null) continue
    if (!isJsonObject(data))
      throw invalid(`${name} has ${nameType(data)} as ${field}, where keys and values belong`, place)
    for (const [key, value] of Object.entries(data)) {
      const at = `${field}[${JSON.stringify(key)}]`
      if (value === null) continue
      if (typeof value !== 'string') throw invalid(`${name} has ${nameType(value)} as ${at}: quote it`, place)
      if (field === 'data' && !isBase64(value)) {
        throw invalid(`${name} has a ${at} that is not base64: encode it, or put the text into stringData`, place)
      }
    }
  }
}

/** As Go's reader takes it: padded, line breaks left out. */
function isBase64(text: string): boolean {
  const compact = text.replaceAll(/[\r\n]/g, '')
  return compact.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(compact)
}

function invalid(message: string, place: Place): RenderError {
  return new RenderError('OBJECT_INVALID', message, place)
}
