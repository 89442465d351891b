import type {Answer} from './answer.ts'
import {receiveWebhook, type WebhookPorts} from './receive-webhook.ts'

export interface WebhookConfig {
  /** Shared secrets of the webhook, not empty; several while one is being rotated. */
  secrets: readonly string[]
}

/** Builds the webhook function: takes a Lambda function URL event (payload format 2.0) and never rejects for bad input. */
export function createWebhookHandler(
  ports: WebhookPorts,
  {secrets}: WebhookConfig,
): (event: unknown) => Promise<Answer> {
  return (event) => receiveWebhook(ports, secrets, event)
}
