import {isJsonObject, type Manifest} from '#shared/model/manifest.ts'
import {type Place, RenderError} from './render-error.ts'

const texts = {Secret: ['stringData'], ConfigMap: ['data']} as const
const encoded = {Secret: ['data'], ConfigMap: ['binaryData']} as const

/**
 * Throws `RenderError` OBJECT_INVALID where a Secret or a ConfigMap holds what the API server refuses: it would have to leave out its
 * words, and here file and key can be told. No message holds a value.
 */
export function checkData(manifest: Manifest, name: string, place: Place): void {
  const {apiVersion, kind} = manifest
  // Of an encrypted one only the controller that decrypts it knows.
  if (apiVersion !== 'v1' || (kind !== 'Secret' && kind !== 'ConfigMap') || 'sops' in manifest) return
  for (const field of [...texts[kind], ...encoded[kind]]) {
    const data = manifest[field]
    if (data === undefined || data === null) continue
    if (!isJsonObject(data))
      throw invalid(`${name} has ${nameType(data)} as ${field}, where keys and values belong`, place)
    const isEncoded = encoded[kind].some((it) => it === field)
    for (const [key, value] of Object.entries(data)) {
      const at = `${field}[${JSON.stringify(key)}]`
      if (value === null) continue
      if (typeof value !== 'string') throw invalid(`${name} has ${nameType(value)} as ${at}: quote it`, place)
      if (isEncoded && !isBase64(value)) {
        const other = kind === 'Secret' ? 'stringData' : 'data'
        throw invalid(`${name} has a ${at} that is not base64: encode it, or put the text into ${other}`, place)
      }
    }
  }
}

/** As Go's reader takes it: padded, line breaks left out. */
function isBase64(text: string): boolean {
  const compact = text.replaceAll(/[\r\n]/g, '')
  return compact.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(compact)
}

function nameType(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  return typeof value === 'string' ? 'a text' : typeof value === 'boolean' ? 'a boolean' : 'a number'
}

function invalid(message: string, place: Place): RenderError {
  return new RenderError('OBJECT_INVALID', message, place)
}
