import {S3Client, type S3ClientConfig} from '@aws-sdk/client-s3'
import {SQSClient} from '@aws-sdk/client-sqs'
import {requestSettings} from './request-settings.ts'

export interface AwsClientOptions {
  /** Default: the SDK's own search (AWS_REGION, the profile); `us-east-1` where an endpoint is given. */
  region?: string
  /** Overrides the endpoint, as AWS_ENDPOINT_URL_S3 does; keys then go into the path, not the host name. */
  s3Endpoint?: string
  /** Overrides the endpoint, as AWS_ENDPOINT_URL_SQS does; queue URLs then only name the queue. */
  sqsEndpoint?: string
  /** Default: the SDK's own chain. */
  credentials?: NonNullable<S3ClientConfig['credentials']>
}

export interface AwsClients {
  s3: S3Client
  sqs: SQSClient
}

/** Builds the S3 and SQS clients with timeouts on every request and standard retries (at most three attempts). */
export function createAwsClients({region, s3Endpoint, sqsEndpoint, credentials}: AwsClientOptions = {}): AwsClients {
  const shared = {
    ...requestSettings(),
    ...(region !== undefined && {region}),
    ...(credentials !== undefined && {credentials}),
  }
  const local = region === undefined ? {region: 'us-east-1'} : {}
  return {
    s3: new S3Client({
      ...shared,
      ...(s3Endpoint !== undefined && {...local, endpoint: s3Endpoint, forcePathStyle: true}),
    }),
    sqs: new SQSClient({
      ...shared,
      ...(sqsEndpoint !== undefined && {...local, endpoint: sqsEndpoint, useQueueUrlAsEndpoint: false}),
    }),
  }
}
