import {S3Client} from '@aws-sdk/client-s3'
import {requestSettings} from './request-settings.ts'
import type {ClientOptions} from './sqs-client.ts'

/** Builds an S3 client with the timeouts and retries of all AWS clients; with an endpoint of its own, it puts the bucket into the path. */
export function createS3Client({endpoint, ...options}: ClientOptions = {}): S3Client {
  const local = endpoint === undefined ? {} : {region: 'us-east-1', endpoint, forcePathStyle: true}
  return new S3Client({...requestSettings(), ...local, ...options})
}
