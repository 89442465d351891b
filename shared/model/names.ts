import * as z from 'zod'

/** An RFC 1123 label: the names of clusters, which become parts of queue names, object keys and role names. */
export const clusterNameSchema = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be lower-case letters, digits and "-" (at most 63 characters)')

/** The name of an app: an RFC 1123 label too, since it is written into a label of every object that it owns. */
export const appNameSchema = clusterNameSchema

/** A Kubernetes namespace name. */
export const namespaceSchema = clusterNameSchema

/** A git commit: 40 hex characters (SHA-1) in lower case. */
export const commitSchema = z.string().regex(/^[0-9a-f]{40}$/, 'must be a full commit id (40 hex characters)')

/** A full ref name, as `refs/heads/main`; refused where `git check-ref-format` would refuse it in ways that matter to paths. */
export const refSchema = z
  .string()
  .max(512)
  .regex(
    /^refs\/(heads|tags)\/(?!.*(\.\.|\/\/|@\{|\\))[^\s~^:?*[\x00-\x1f\x7f]+$/,
    'must be a full ref such as refs/heads/main',
  )

/** An RFC 3339 time in UTC with milliseconds, as `Date.toISOString` writes it. */
export const timeSchema = z.iso.datetime({offset: true})
