import * as z from 'zod'
import {API_VERSION} from './api-version.ts'
import {clusterReportSchema, reportEventSchema} from './cluster-report.ts'
import {clusterNameSchema, timeSchema} from './names.ts'

/** What the bridge knows of a cluster: `status/<cluster>`, written by the status function alone. */
export const clusterStatusSchema = z.object({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('ClusterStatus'),
  cluster: clusterNameSchema,
  receivedAt: timeSchema,
  /** The id of the last event that went into the history. */
  lastEventId: z.string(),
  report: clusterReportSchema.optional(),
  /** Commit statuses set so far, so that none is set twice: `<repository> <commit>` → state. At most the 200 latest. */
  commitStatuses: z.record(z.string(), z.enum(['pending', 'success', 'failure'])),
  /** The words last shown of those that failed, so that a newer cause is shown in place of an older one. */
  shownFailures: z.record(z.string(), z.string()).optional(),
})
export type ClusterStatus = z.infer<typeof clusterStatusSchema>

/** One line of the append-only history: `history/<cluster>/<app>/<inverted id>`. */
export const historyEntrySchema = z.object({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('HistoryEntry'),
  cluster: clusterNameSchema,
  event: reportEventSchema,
})
export type HistoryEntry = z.infer<typeof historyEntrySchema>
