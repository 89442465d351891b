import {VerificationError} from '#shared/attest/verification-error.ts'
import {kindOf, parseMessage} from '#shared/messages/message-error.ts'
import {type BatchResponse, processBatch} from '#shared/messages/process-batch.ts'
import {
  publishRangeSchema,
  publishRequestSchema,
  type RefreshRequest,
  refreshRequestSchema,
} from '#shared/model/publish-request.ts'
import {createDesiredMemory} from './desired-memory.ts'
import type {PublishConfig, PublishMeans, PublishPorts} from './ports.ts'
import {publishRelease} from './publish-release.ts'
import {refreshDesiredState} from './refresh-desired-state.ts'

/** Builds the publish function: takes SQS events with PublishRanges, PublishRequests and RefreshRequests, and answers which to deliver again. */
export function createPublishHandler(
  ports: PublishPorts,
  config: PublishConfig,
): (event: unknown) => Promise<BatchResponse> {
  const means = {...ports, memory: createDesiredMemory()}
  return (event) =>
    processBatch(ports, event, async ({body, receiveCount}) => {
      const delivery = {isRedelivered: receiveCount > 1}
      switch (kindOf(body)) {
        case 'RefreshRequest':
          return await refresh(means, config, parseMessage(refreshRequestSchema, body), delivery)
        case 'PublishRange':
          return await publishRelease(means, config, parseMessage(publishRangeSchema, body), delivery)
        default:
          return await publishRelease(means, config, parseMessage(publishRequestSchema, body), delivery)
      }
    })
}

async function refresh(
  means: PublishMeans,
  config: PublishConfig,
  request: RefreshRequest,
  delivery: {isRedelivered: boolean},
): Promise<void> {
  try {
    await refreshDesiredState(means, config, request, delivery)
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error
    means.journal.record({
      event: 'refused',
      at: means.clock.now().toISOString(),
      cluster: request.cluster,
      code: 'DESIRED_STATE_UNTRUSTED',
      message: `the desired state is not signed anew: ${error.message}`,
      traceparent: request.trace.traceparent,
    })
  }
}
