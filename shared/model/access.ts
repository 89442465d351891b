import {keys, prefixes} from './keys.ts'

/** What may be done to the bucket; nothing in Drawbridge ever deletes an object. */
export type StoreAction = 's3:GetObject' | 's3:PutObject' | 's3:ListBucket'

/**
 * One thing that a role may do in the bucket. `keys` is a key, or a pattern in which `*` stands for any characters, slashes
 * included; for `s3:ListBucket` it matches the prefix that is listed.
 *
 * `writes` narrows `s3:PutObject`, for stores that can tell the kinds of writes apart (on AWS by the condition keys
 * `s3:if-none-match` and `s3:if-match`): `'create'` only where the key is absent (If-None-Match: *), `'swap'` only by
 * compare-and-swap (either header), `'any'` without a condition. Absent where the grant writes nothing.
 */
export interface StoreGrant {
  actions: readonly StoreAction[]
  keys: string
  writes?: 'create' | 'swap' | 'any'
}

/** The functions of the bridge, by the name of their folder. */
export const FUNCTION_NAMES = ['webhook', 'render', 'publish', 'status'] as const
export type FunctionName = (typeof FUNCTION_NAMES)[number]

const everyBundle = `${prefixes.bundles}*`
const everyAttestation = `${prefixes.attestations}*`
const everyDesired = keys.desired('*')
const everyReport = keys.report('*')
const everyStatus = keys.status('*')
const everyOutcome = `${prefixes.outcomes}*`
const everyHistory = `${prefixes.history}*`
const everyRenderRecord = `${prefixes.renders}*`

/**
 * What each function may do in the bucket, and nothing besides. Render runs other people's templates, so it can add bundles and
 * replace nothing but its own memory of what renders read; publish alone writes what clusters trust.
 *
 * S3 answers 403 instead of 404 for an absent key to whoever may not list it, so each function may list what it may find absent.
 */
export const functionAccess: Readonly<Record<FunctionName, readonly StoreGrant[]>> = {
  webhook: [],
  render: [
    {actions: ['s3:GetObject'], keys: everyDesired},
    {actions: ['s3:GetObject'], keys: everyBundle},
    {actions: ['s3:PutObject'], keys: everyBundle, writes: 'create'},
    {actions: ['s3:GetObject', 's3:PutObject'], keys: everyRenderRecord, writes: 'swap'},
    {actions: ['s3:ListBucket'], keys: `${prefixes.clusters}*`},
    {actions: ['s3:ListBucket'], keys: everyBundle},
    {actions: ['s3:ListBucket'], keys: everyRenderRecord},
  ],
  publish: [
    {actions: ['s3:GetObject'], keys: everyBundle},
    {actions: ['s3:GetObject'], keys: everyAttestation},
    {actions: ['s3:PutObject'], keys: everyAttestation, writes: 'swap'},
    {actions: ['s3:GetObject'], keys: everyDesired},
    {actions: ['s3:PutObject'], keys: everyDesired, writes: 'swap'},
    {actions: ['s3:GetObject'], keys: everyReport},
    {actions: ['s3:ListBucket'], keys: `${prefixes.clusters}*`},
    {actions: ['s3:ListBucket'], keys: everyBundle},
    {actions: ['s3:ListBucket'], keys: everyAttestation},
  ],
  status: [
    {actions: ['s3:GetObject'], keys: everyDesired},
    {actions: ['s3:GetObject'], keys: everyReport},
    {actions: ['s3:GetObject', 's3:PutObject'], keys: everyStatus, writes: 'swap'},
    {actions: ['s3:GetObject', 's3:PutObject'], keys: everyOutcome, writes: 'swap'},
    {actions: ['s3:PutObject'], keys: everyHistory, writes: 'create'},
    {actions: ['s3:ListBucket'], keys: `${prefixes.clusters}*`},
    {actions: ['s3:ListBucket'], keys: everyOutcome},
    {actions: ['s3:ListBucket'], keys: everyStatus},
  ],
}

/**
 * What the credentials of one cluster may do in the bucket: read what it is to run, and read and write its own report, which is
 * how a report proves whose it is. It may list nothing, so what is absent is denied (403) to it. `cluster` is a valid cluster
 * name, so it holds no `*`.
 */
export function clusterAccess(cluster: string): readonly StoreGrant[] {
  return [
    {actions: ['s3:GetObject'], keys: keys.desired(cluster)},
    {actions: ['s3:GetObject', 's3:PutObject'], keys: keys.report(cluster), writes: 'any'},
    {actions: ['s3:GetObject'], keys: everyBundle},
    {actions: ['s3:GetObject'], keys: everyAttestation},
  ]
}
