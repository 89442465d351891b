import {type Digest, digestHex, digestOf} from './digest.ts'
import type {Outcome} from './outcome.ts'

/** The name of the file, at the root of a repository, that declares apps. */
export const CONFIG_FILE = 'drawbridge.yaml'

/** The keys of everything that is stored in the bucket. Names are validated by their schemas before they get here. */
export const keys = {
  bundle: (digest: Digest): string => `bundles/${digestHex(digest)}.ndjson.gz`,
  /** The DSSE envelope with the in-toto statement about the bundle of this digest. */
  attestation: (digest: Digest): string => `attestations/${digestHex(digest)}`,
  desired: (cluster: string): string => `clusters/${cluster}/desired`,
  report: (cluster: string): string => `clusters/${cluster}/report`,
  status: (cluster: string): string => `status/${cluster}`,
  /** How the last render of a declaration went, or what publish last refused of it for a cluster. */
  outcome: ({
    repository,
    ref,
    stage,
    cluster = '',
  }: Pick<Outcome, 'repository' | 'ref' | 'stage' | 'cluster'>): string =>
    `outcomes/${digestHex(digestOf(Buffer.from([repository, ref, stage, cluster].join('\n'))))}`,
  /** What the renders of a declaration read: render's own memory. */
  renderRecords: ({repository, ref}: {repository: string; ref: string}): string =>
    `renders/${digestHex(digestOf(Buffer.from([repository, ref].join('\n'))))}`,
  historyPrefix: (cluster: string, app: string): string => `history/${cluster}/${app}/`,
  /** Newest first in S3's ascending listing: the millisecond part of the event's id counts down. */
  history: (cluster: string, app: string, eventId: string): string =>
    `history/${cluster}/${app}/${invertEventId(eventId)}`,
} as const

/** Prefixes, for listing and for access policies. */
export const prefixes = {
  bundles: 'bundles/',
  attestations: 'attestations/',
  clusters: 'clusters/',
  status: 'status/',
  history: 'history/',
  outcomes: 'outcomes/',
  renders: 'renders/',
} as const

function invertEventId(id: string): string {
  return [...id].map((char) => (char >= '0' && char <= '9' ? String(9 - Number(char)) : char)).join('')
}
