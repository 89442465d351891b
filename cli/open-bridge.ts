import {join, resolve} from 'node:path'
import {connectionSchema} from '#infra/local/connection.ts'
import {loadState} from '#infra/local/state-file.ts'
import {createAwsClients} from '#shared/aws/aws-clients.ts'
import {createS3ObjectStore} from '#shared/aws/s3-object-store.ts'
import type {ObjectStore} from '#shared/ports/object-store.ts'
import {CliError, type CliIo} from './io.ts'

/** Where `drawbridge dev` keeps its state unless told otherwise. */
export const DEFAULT_STATE = '.drawbridge'

/** How a command finds its bridge: a running `drawbridge dev` by its state directory, or a bucket on AWS. */
export interface BridgeOptions {
  state?: string
  bucket?: string
}

/**
 * Opens the bridge's bucket for reading: `--bucket` (or DRAWBRIDGE_BUCKET) with the ordinary AWS credentials and region, else
 * the local bridge whose state directory is given.
 */
export async function openBridge(io: CliIo, options: BridgeOptions): Promise<ObjectStore> {
  const bucket = options.bucket ?? io.env.DRAWBRIDGE_BUCKET
  if (bucket !== undefined && options.state === undefined)
    return createS3ObjectStore({client: createAwsClients({}).s3, bucket})
  const state = resolve(io.cwd, options.state ?? DEFAULT_STATE)
  const connection = await loadState(join(state, 'connection.json'), connectionSchema)
  if (connection === undefined) {
    throw new CliError(
      `no bridge in ${state}: start one with "drawbridge dev --state ${options.state ?? DEFAULT_STATE}", or name a bucket on AWS by --bucket`,
    )
  }
  if (!isRunning(connection.pid)) {
    throw new CliError(
      `the bridge in ${state} is not running (process ${connection.pid} has ended): start it again with "drawbridge dev --state ${options.state ?? DEFAULT_STATE}"`,
    )
  }
  const {endpoint, region, bucket: localBucket, ...credentials} = connection.viewer
  const {s3} = createAwsClients({region, s3Endpoint: endpoint, credentials})
  return createS3ObjectStore({client: s3, bucket: localBucket})
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
