import type {SQSBatchResponse, SQSEvent, SQSRecord} from 'aws-lambda'
import * as z from 'zod'
import {DrawbridgeError, describeError} from '#shared/model/drawbridge-error.ts'
import {continueRenderSchema, pushEventSchema, sweepSchema} from '#shared/model/push-event.ts'
import {SourceError} from '#shared/ports/source-error.ts'
import {continueRender} from './continue-render.ts'
import {isTransient} from './open-sources.ts'
import {receivePush} from './receive-push.ts'
import {createRenderMemory} from './render-memory.ts'
import type {RenderConfig, RenderPorts} from './render-ports.ts'
import {sweepRepositories} from './sweep-repositories.ts'

export type {RenderConfig, RenderPorts} from './render-ports.ts'

const messageSchema = z.discriminatedUnion('kind', [pushEventSchema, sweepSchema, continueRenderSchema])
type RenderMessage = z.infer<typeof messageSchema>

/**
 * Builds the render function: takes PushEvents, Sweeps and ContinueRenders from the render queue. A message that can never be handled goes to
 * the dead-letter queue with its reason; one that may be at the next try is reported as failed. Every message may come twice.
 */
export function createRenderHandler(
  ports: RenderPorts,
  config: RenderConfig,
): (event: SQSEvent) => Promise<SQSBatchResponse> {
  const memory = createRenderMemory()

  const handleMessage = (message: RenderMessage, deadline: Date | undefined): Promise<void> => {
    switch (message.kind) {
      case 'Sweep':
        return sweepRepositories(ports, config, message, memory, deadline)
      case 'ContinueRender':
        return continueRender(ports, config, message, memory, deadline)
      case 'PushEvent':
        return receivePush(ports, config, message, memory, deadline)
    }
  }

  const handleRecord = async (record: SQSRecord, deadline: Date | undefined): Promise<'done' | 'again'> => {
    const message = messageSchema.safeParse(parseJson(record.body))
    if (!message.success) {
      const issue = message.error.issues[0]
      const reason = `not a PushEvent, Sweep or ContinueRender: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`
      await ports.deadLetters.send(record.body, {reason})
      return 'done'
    }
    try {
      await handleMessage(message.data, deadline)
      return 'done'
    } catch (error) {
      const isPermanent = error instanceof SourceError && !isTransient(error)
      if (isPermanent) await ports.deadLetters.send(record.body, {reason: `${error.code}: ${error.message}`})
      ports.journal.record({
        event: isPermanent ? 'failed' : 'skipped',
        at: ports.clock.now().toISOString(),
        ...whatOf(message.data),
        code: error instanceof DrawbridgeError ? error.code : 'INTERNAL',
        message: isPermanent ? error.message : `will be tried again: ${describeError(error)}`,
        traceparent: message.data.trace.traceparent,
      })
      return isPermanent ? 'done' : 'again'
    }
  }

  return async ({Records}) => {
    const batchItemFailures: SQSBatchResponse['batchItemFailures'] = []
    const budget = config.timeBudgetSeconds
    const deadline = budget === undefined ? undefined : new Date(ports.clock.now().getTime() + budget * 1_000)
    for (const record of Records) {
      const result = await handleRecord(record, deadline).catch((error: unknown) => {
        // The dead-letter queue itself did not take it.
        const message = `will be tried again: ${describeError(error)}`
        ports.journal.record({event: 'skipped', at: ports.clock.now().toISOString(), message})
        return 'again' as const
      })
      if (result === 'again') batchItemFailures.push({itemIdentifier: record.messageId})
    }
    return {batchItemFailures}
  }
}

function whatOf(message: RenderMessage): {repository?: string; ref?: string} {
  switch (message.kind) {
    case 'Sweep':
      return {}
    case 'ContinueRender':
      return message.declaredIn
    case 'PushEvent':
      return {repository: message.repository, ref: message.ref}
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
