import {SQSClient, type SQSClientConfig} from '@aws-sdk/client-sqs'
import {requestSettings} from './request-settings.ts'

/** What may be said of an AWS client; what is left out, the SDK finds as it always does. */
export interface ClientOptions {
  /** Default: AWS_REGION or the profile's; `us-east-1` where an endpoint is given. */
  region?: string
  endpoint?: string
  credentials?: NonNullable<SQSClientConfig['credentials']>
}

/** Builds an SQS client with the timeouts and retries of all AWS clients; with an endpoint of its own, queue URLs only name the queue. */
export function createSqsClient({endpoint, ...options}: ClientOptions = {}): SQSClient {
  const local = endpoint === undefined ? {} : {region: 'us-east-1', endpoint, useQueueUrlAsEndpoint: false}
  return new SQSClient({...requestSettings(), ...local, ...options})
}
