import {parseExactJson} from '#shared/bundle/exact-json.ts'
import type {AppReport} from '#shared/model/cluster-report.ts'
import {
  type ClusterStatus,
  clusterStatusSchema,
  type HistoryEntry,
  historyEntrySchema,
} from '#shared/model/cluster-status.ts'
import {keys, prefixes} from '#shared/model/keys.ts'
import {limits} from '#shared/model/limits.ts'
import {type Outcome, outcomeSchema} from '#shared/model/outcome.ts'
import type {ObjectStore} from '#shared/ports/object-store.ts'
import {CliError} from './io.ts'

const pageSize = 1000
const maxPages = 100

/** An app in a cluster, with what the cluster said of it. */
export interface AppRow {
  cluster: string
  app: AppReport
}

/** Reads the status of every cluster, sorted by name. */
export async function readClusterStatuses(store: ObjectStore): Promise<ClusterStatus[]> {
  const found = await listAll(store, prefixes.status)
  const statuses = await Promise.all(found.map((key) => readJson(store, key, clusterStatusSchema)))
  return statuses.filter((status) => status !== undefined)
}

/** Tells whether a commit did not render, or was refused, in whole or in part. */
export function isFailed({findings}: Outcome): boolean {
  return findings.length > 0
}

/**
 * Outcomes of commits that have findings or warnings. What publish refused of a commit counts only while that commit is the last that
 * was rendered.
 */
export async function readOpenOutcomes(store: ObjectStore): Promise<Outcome[]> {
  const found = await listAll(store, prefixes.outcomes)
  const read = await Promise.all(found.map((key) => readJson(store, key, outcomeSchema)))
  const outcomes = read.filter((outcome) => outcome !== undefined)
  const declarationOf = ({repository, ref}: Outcome) => `${repository} ${ref}`
  const rendered = new Map(
    outcomes.filter(({stage}) => stage === 'render').map((outcome) => [declarationOf(outcome), outcome.commit]),
  )
  return outcomes.filter(
    (outcome) =>
      (isFailed(outcome) || outcome.warnings !== undefined) &&
      (rendered.get(declarationOf(outcome)) ?? outcome.commit) === outcome.commit,
  )
}

/** The apps of all clusters, sorted by cluster and name. */
export function appRows(statuses: readonly ClusterStatus[]): AppRow[] {
  return statuses.flatMap((status) => (status.report?.apps ?? []).map((app) => ({cluster: status.cluster, app})))
}

/** Reads an app's history in a cluster, newest first. */
export async function readHistory(
  store: ObjectStore,
  cluster: string,
  app: string,
  limit: number,
): Promise<HistoryEntry[]> {
  const found = await store.list(keys.historyPrefix(cluster, app), {limit: Math.min(limit, pageSize)})
  const entries = await Promise.all(found.map((key) => readJson(store, key, historyEntrySchema)))
  return entries.filter((entry) => entry !== undefined)
}

async function listAll(store: ObjectStore, prefix: string): Promise<string[]> {
  const all: string[] = []
  for (let page = 0; page < maxPages; page++) {
    const after = all.at(-1)
    const found = await store.list(prefix, {limit: pageSize, ...(after !== undefined && {after})})
    all.push(...found)
    if (found.length < pageSize) break
  }
  return all
}

async function readJson<T>(
  store: ObjectStore,
  key: string,
  schema: {safeParse(value: unknown): {success: true; data: T} | {success: false}},
): Promise<T | undefined> {
  const object = await store.get(key, {maxBytes: limits.maxReportBytes})
  if (typeof object === 'string') return undefined
  const parsed = schema.safeParse(parseExactJson(Buffer.from(object.bytes).toString('utf8')))
  if (!parsed.success)
    throw new CliError(`${key} in the bucket is not what this version writes: upgrade the older of bridge and CLI`)
  return parsed.data
}
