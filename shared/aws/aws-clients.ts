import type {S3Client} from '@aws-sdk/client-s3'
import type {SQSClient} from '@aws-sdk/client-sqs'
import {createS3Client} from './s3-client.ts'
import {type ClientOptions, createSqsClient} from './sqs-client.ts'

export interface AwsClientOptions extends Omit<ClientOptions, 'endpoint'> {
  /** Overrides the endpoint, as AWS_ENDPOINT_URL_S3 does; keys then go into the path, not the host name. */
  s3Endpoint?: string
  /** Overrides the endpoint, as AWS_ENDPOINT_URL_SQS does; queue URLs then only name the queue. */
  sqsEndpoint?: string
}

export interface AwsClients {
  s3: S3Client
  sqs: SQSClient
}

/** Builds the S3 and SQS clients with timeouts on every request and standard retries (at most three attempts). */
export function createAwsClients({s3Endpoint, sqsEndpoint, ...shared}: AwsClientOptions = {}): AwsClients {
  return {
    s3: createS3Client({...shared, ...(s3Endpoint !== undefined && {endpoint: s3Endpoint})}),
    sqs: createSqsClient({...shared, ...(sqsEndpoint !== undefined && {endpoint: sqsEndpoint})}),
  }
}
