import * as z from 'zod'

const s3AccessSchema = z.object({
  endpoint: z.string(),
  region: z.string(),
  bucket: z.string(),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
})
export type S3Access = z.infer<typeof s3AccessSchema>

/**
 * `connection.json` in the state directory of a local bridge (mode 0600): how the command line reaches it. `viewer` may read
 * the bucket and write nothing.
 */
export const connectionSchema = z.object({
  pid: z.int(),
  viewer: s3AccessSchema,
  kubeconfigs: z.record(z.string(), z.string()),
})
export type Connection = z.infer<typeof connectionSchema>
