import * as z from 'zod'
import {API_VERSION} from '../model/api-version.ts'
import {digestSchema} from '../model/digest.ts'
import {appNameSchema, clusterNameSchema} from '../model/names.ts'

/** The first line of a bundle: for which app and cluster it was rendered, from what and by what. No clock, no commit: equal inputs give equal bytes. */
export const bundleHeaderSchema = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('Bundle'),
  app: appNameSchema,
  cluster: clusterNameSchema,
  inputs: digestSchema,
  renderer: z.strictObject({name: z.enum(['yaml', 'kustomize', 'helm']), version: z.string()}),
  objects: z.int().nonnegative(),
})
export type BundleHeader = z.infer<typeof bundleHeaderSchema>
