import * as z from 'zod'
import {API_VERSION} from './api-version.ts'
import {digestSchema} from './digest.ts'
import {appNameSchema, clusterNameSchema, commitSchema, namespaceSchema, refSchema, timeSchema} from './names.ts'
import {
  deletionPolicySchema,
  dependencySchema,
  namespaceMetadataSchema,
  preflightSchema,
  propagationSchema,
  pruneLimitSchema,
} from './plan-options.ts'
import {healthCheckExprSchema, ignoreDifferencesSchema, retrySchema} from './sync-options.ts'
import {traceSchema} from './trace.ts'

/** Where an App is declared: the repository and ref whose drawbridge.yaml holds it. One declaration owns one app name in a cluster. */
export const declarationSchema = z.object({repository: z.string().min(1), ref: refSchema})
export type Declaration = z.infer<typeof declarationSchema>

/** A bundle by address: digest and size of the stored (compressed) bytes, and how many objects it holds. */
export const bundleAddressSchema = z.object({
  digest: digestSchema,
  size: z.int().nonnegative(),
  objects: z.int().nonnegative(),
})
export type BundleAddress = z.infer<typeof bundleAddressSchema>

/** An app that should run in the cluster. */
export const presentAppSchema = z.object({
  state: z.literal('present'),
  name: appNameSchema,
  declaredIn: declarationSchema,
  source: z.object({repository: z.string().min(1), ref: refSchema, commit: commitSchema, path: z.string()}),
  /** `<ref>@sha1:<commit>` */
  revision: z.string(),
  /** Digest of all that the render depended on: files read, spec, cluster, renderer versions. Equal inputs need no new render. */
  inputs: digestSchema,
  bundle: bundleAddressSchema,
  namespace: namespaceSchema.optional(),
  createNamespace: z.boolean(),
  namespaceMetadata: z.object(namespaceMetadataSchema.shape).optional(),
  dependsOn: z.array(dependencySchema).optional(),
  /** `namespace/name` to impersonate; absent means the agent's own identity. */
  serviceAccount: z.string().optional(),
  /** Strict: a field that the reader does not know may be a safety, so it must not be dropped. */
  sync: z.strictObject({
    prune: z.boolean(),
    allowEmpty: z.boolean(),
    drift: z.enum(['heal', 'detect', 'off']),
    timeoutSeconds: z.int().positive(),
    deletionPolicy: deletionPolicySchema,
    preflight: preflightSchema.optional(),
    pruneLimit: pruneLimitSchema.optional(),
    prunePropagation: propagationSchema.optional(),
    retry: retrySchema.optional(),
    ignoreDifferences: z.array(ignoreDifferencesSchema).optional(),
    rollback: z.boolean().optional(),
    healthCheckExprs: z.array(healthCheckExprSchema).optional(),
  }),
  trace: traceSchema,
})
export type PresentApp = z.infer<typeof presentAppSchema>

/** An app that was taken out of git on purpose: said aloud, so that absence alone never deletes anything. */
export const removedAppSchema = z.object({
  state: z.literal('removed'),
  name: appNameSchema,
  declaredIn: declarationSchema,
  deletionPolicy: deletionPolicySchema,
  /** The declaring commit that no longer has the App. */
  commit: commitSchema,
  removedAt: timeSchema,
  trace: traceSchema,
})
export type RemovedApp = z.infer<typeof removedAppSchema>

export const desiredAppSchema = z.discriminatedUnion('state', [presentAppSchema, removedAppSchema])
export type DesiredApp = z.infer<typeof desiredAppSchema>

/**
 * What one cluster should run: the payload of the envelope at `clusters/<cluster>/desired`. `version` grows by one with each
 * publication; the agent never accepts a lower one. Apps are sorted by name, each name once.
 */
export const desiredStateSchema = z.object({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('DesiredState'),
  cluster: clusterNameSchema,
  version: z.int().positive(),
  issuedAt: timeSchema,
  expiresAt: timeSchema,
  apps: z.array(desiredAppSchema),
  trace: traceSchema,
})
export type DesiredState = z.infer<typeof desiredStateSchema> & {
  /** Apps that this version cannot read: they are neither in `apps` nor absent. Never part of a document. */
  unread?: readonly UnreadApp[]
}

/** An app of which a desired state says what this version does not know. */
export interface UnreadApp {
  name: string
  /** The field, and what is wrong with it. */
  problem: string
}

/** Tells a cluster's queue that its desired state changed: a hint, the agent also polls. */
export const notificationSchema = z.object({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('DesiredStateChanged'),
  cluster: clusterNameSchema,
  version: z.int().positive(),
  trace: traceSchema,
})
export type Notification = z.infer<typeof notificationSchema>
