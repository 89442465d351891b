import {isJsonObject, type JsonObject} from '../model/manifest.ts'

// The words of Kubernetes' own validation, and what rules of custom resources (`self == oldSelf`) are mostly worded as.
const wordings = [
  /\bimmutable\b/i,
  /\bmay not change once set\b/i,
  /\bcannot change roleRef\b/,
  /\bupdates to .+ are forbidden\b/,
  /\bpod updates may not change fields\b/,
]

/**
 * Tells whether an API server refused a change for nothing but fields that cannot be changed once they are set, from the `details` of the
 * Status that it answered. Where any other cause stands beside them a new object would be refused as well, so it does not count.
 */
export function isImmutableRefusal(details: JsonObject): boolean {
  const causes = Array.isArray(details.causes) ? details.causes.filter(isJsonObject) : []
  return causes.length > 0 && causes.every(({message}) => wordings.some((wording) => wording.test(String(message))))
}
