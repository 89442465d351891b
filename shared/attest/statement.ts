import * as z from 'zod'
import {bundleHeaderSchema} from '../bundle/bundle-header.ts'
import {API_VERSION} from '../model/api-version.ts'
import {appNameSchema, clusterNameSchema, commitSchema} from '../model/names.ts'

/** in-toto Attestation Framework, Statement v1. */
export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1'
export const PREDICATE_TYPE = 'https://drawbridge.dev/attestations/render/v1alpha1'

/**
 * What is attested of a bundle: which commit of which repository it was rendered from, for which app and cluster, by what.
 * The subject is the stored bytes of the bundle, named by their key.
 */
export const statementSchema = z.object({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.tuple([z.object({name: z.string(), digest: z.object({sha256: z.string().regex(/^[0-9a-f]{64}$/)})})]),
  predicateType: z.literal(PREDICATE_TYPE),
  predicate: z.object({
    apiVersion: z.literal(API_VERSION),
    app: appNameSchema,
    cluster: clusterNameSchema,
    declaredIn: z.object({repository: z.string(), ref: z.string()}),
    source: z.object({repository: z.string(), ref: z.string(), commit: commitSchema, path: z.string()}),
    inputs: z.string(),
    renderer: bundleHeaderSchema.shape.renderer,
    bundle: z.object({size: z.int(), objects: z.int()}),
    traceparent: z.string(),
  }),
})
export type Statement = z.infer<typeof statementSchema>
