import {isJsonObject, type JsonObject} from '#shared/model/manifest.ts'
import {isImmutableRefusal} from '#shared/plan/tell-immutable.ts'
import {codeOfStatus, KubeError} from './kube-error.ts'

/** What was asked, and whether the server's words about it may quote secret values. */
export interface Asked {
  what: string
  confidential?: boolean
}

/**
 * Says in the server's words why it refused, from the Status object that it answered. What is wrong with what was sent is `INVALID` or
 * `REJECTED` also where the server calls it its own fault: it would be refused again.
 */
export function readRefusal({what, confidential}: Asked, {status, body}: {status: number; body: string}): KubeError {
  const {reason, message, details} = parseStatus(body)
  const causes = (Array.isArray(details.causes) ? details.causes : []).filter(isJsonObject)
  const words = message ?? body.slice(0, 500)
  const code = codeOf(status, words, causes)
  const immutable = isImmutableRefusal(details)
  const head = reason === undefined ? `HTTP ${status}` : `${reason} (${status})`
  const said = confidential ? saidOfSecret(words, causes) : immutable ? saidOfImmutable(causes) : sortLines(words)
  return new KubeError(code, `${what}: ${head}: ${said}${immutable ? remedies.immutable : remedyOf(words)}`, {
    status,
    immutable,
    // What a strategy of another type leaves behind is a default that nobody owns.
    ...(code === 'INVALID' && leftovers.test(words) && {leftover: true}),
    ...refuserOf(words),
  })
}

const leftovers = /rollingUpdate: Forbidden: may not be specified when strategy `?type`? is/

/** Server-side apply reads what is sent after admission, where the server takes all errors for its own. Kubernetes 1.35, managedfields/internal. */
const contentWords = [
  /^failed to create typed patch object/,
  /^failed to convert (new|patched) object/,
  /field not declared in schema|duplicate entries for key \[/,
  /cannot unmarshal \w+ into Go struct field/,
  /unable to convert unstructured object/,
  /etcdserver: request is too large/,
  /trying to send message larger than max/,
]
/** A webhook chooses the status that it denies with: with one of these it would pass for the server's own answer about the object. */
const statesOfObject: readonly KubeError['code'][] = ['NOT_FOUND', 'CONFLICT', 'EXPIRED']
/** What passes by itself, though the server answers as if it were refused: of the namespace, or of a quota that is being counted. */
const passingWords = [/because it is being terminated/, /status unknown for quota/]

function codeOf(status: number, words: string, causes: readonly JsonObject[]): KubeError['code'] {
  const code = codeOfStatus(status)
  if (isDenial(words)) {
    if (code === 'UNAVAILABLE') return 'INVALID'
    if (statesOfObject.includes(code)) return 'REJECTED'
  }
  if (code === 'UNAVAILABLE' && contentWords.some((wording) => wording.test(words))) return 'INVALID'
  if (code === 'CONFLICT' && /resourcequotas/.test(words)) return 'UNAVAILABLE'
  const passes =
    causes.some(({reason}) => reason === 'NamespaceTerminating') || passingWords.some((it) => it.test(words))
  return code === 'FORBIDDEN' && passes ? 'UNAVAILABLE' : code
}

/** The server lists errors in whichever order its maps have: the same fault must read the same each time. */
function sortLines(words: string): string {
  const [first = '', ...rest] = words.split('\n')
  return [first, ...rest.toSorted()].join('\n')
}

/** The server quotes the whole value that it was sent: pages of it, for a pod template. */
function saidOfImmutable(causes: readonly JsonObject[]): string {
  const fields = causes.map(({field, message}) => {
    const words = String(message)
    const short = words.slice(words.lastIndexOf(': ') + 2)
    return typeof field === 'string' && field !== '' ? `${field}: ${short}` : words
  })
  return [...new Set(fields)].map((field) => (field.length > 300 ? `${field.slice(0, 300)}…` : field)).join('; ')
}

/** Paths and types, as far as they can be told from the values around them. */
function saidOfSecret(words: string, causes: readonly JsonObject[]): string {
  const fields = causes.flatMap(({field}) => (typeof field === 'string' && field !== '' ? [field] : []))
  if (fields.length > 0) return `the API server refused these fields: ${[...new Set(fields)].join(', ')}`
  const typed = [...words.matchAll(/^\s*(?:.*; .*\): )?(\.[\w.-]+): (expected \w+|field not declared in schema)/gm)]
  const parsed = [
    ...words.matchAll(/cannot unmarshal (\w+) into Go struct field (Secret\.(?:data|stringData|type)) of type (\w+)/g),
  ]
  const told = [
    ...typed.map(([, path, what]) => `${path}: ${what}`),
    ...parsed.map(([, found, path, wanted]) => `${path}: expected ${wanted}, got a ${found}`),
    ...(/illegal base64 data/.test(words) ? ['a value of data is not base64'] : []),
  ]
  if (told.length > 0) return `${told.toSorted().join('; ')} (values are left out)`
  return 'the API server refused it (its words are left out since they may quote a value)'
}

const remedies = {
  immutable:
    '. That cannot be changed once it is set: rename the object, or annotate it with kustomize.toolkit.fluxcd.io/force: enabled to have it deleted and made anew',
  leftover:
    '. What the old strategy left is in the way: add "rollingUpdate: null" beside the type, or annotate the object with argocd.argoproj.io/sync-options: Replace=true',
}

function remedyOf(words: string): string {
  if (leftovers.test(words)) return remedies.leftover
  const webhook = unanswered.exec(words)?.[1]
  if (webhook === undefined) return ''
  return `. Webhook ${webhook} does not answer and lets nothing through (failurePolicy: Fail): repair its service, or delete its configuration`
}

/**
 * How the server begins what it says of a webhook or policy, by their names. What follows are their own words, which must not name another.
 * Kubernetes 1.36: admission/plugin/webhook/errors, util/webhook, admission/plugin/policy/validating.
 */
const unanswered = /^Internal error occurred: failed calling webhook "([^"]+)"/
const denied = /^admission webhook "([^"]+)" denied the request/
const forbidden = /^\S+ (?:"[^"]*" )?is forbidden: ValidatingAdmissionPolicy '([^']+)' /

/** The webhook or the policy that refused, which is not always of the same mind as the server. */
function refuserOf(words: string): {webhook?: string; policy?: string} {
  const webhook = (unanswered.exec(words) ?? denied.exec(words))?.[1]
  const policy = forbidden.exec(words)?.[1]
  return {...(webhook === undefined ? {} : {webhook}), ...(policy === undefined ? {} : {policy})}
}

/** Tells whether a webhook or policy answered in the server's place, whichever status it chose. */
export function isDeniedByAdmission(body: string): boolean {
  return isDenial(parseStatus(body).message ?? '')
}

function isDenial(words: string): boolean {
  return denied.test(words) || forbidden.test(words)
}

function parseStatus(body: string): {reason?: string; message?: string; details: JsonObject} {
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    return {details: {}}
  }
  if (!isJsonObject(parsed)) return {details: {}}
  return {
    details: isJsonObject(parsed.details) ? parsed.details : {},
    ...(typeof parsed.reason === 'string' && parsed.reason !== '' ? {reason: parsed.reason} : {}),
    ...(typeof parsed.message === 'string' ? {message: parsed.message} : {}),
  }
}
