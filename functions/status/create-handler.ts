import {parseMessage} from '#shared/messages/message-error.ts'
import {type BatchResponse, processBatch} from '#shared/messages/process-batch.ts'
import {statusHintSchema} from '#shared/model/cluster-report.ts'
import {outcomeSchema} from '#shared/model/outcome.ts'
import type {StatusConfig, StatusPorts} from './ports.ts'
import {reportOutcome} from './report-outcome.ts'
import {updateStatus} from './update-status.ts'

/**
 * Builds the status function: takes SQS events of two queues and answers which messages to deliver again. Only what comes from
 * the outcome queue is taken as an outcome, since clusters can send to the other.
 */
export function createStatusHandler(
  ports: StatusPorts,
  {outcomeQueueArn}: StatusConfig,
): (event: unknown) => Promise<BatchResponse> {
  return (event) =>
    processBatch(ports, event, async ({body, queueArn}) => {
      if (queueArn === outcomeQueueArn) await reportOutcome(ports, parseMessage(outcomeSchema, body))
      else await updateStatus(ports, parseMessage(statusHintSchema, body))
    })
}
