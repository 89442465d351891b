import {setTimeout as wait} from 'node:timers/promises'
import {limits} from '#shared/model/limits.ts'
import type {QueueReceiver, QueueSender, ReceivedMessage} from '#shared/ports/queue.ts'
import {QueueError} from '#shared/ports/queue-error.ts'

export interface MemoryQueue extends QueueSender, QueueReceiver {
  /** All that was ever sent, in order. */
  readonly sent: readonly {body: string; reason?: string}[]
}

interface Held {
  id: string
  body: string
  receiveCount: number
  visibleAt: number
  receipt: string
}

/** A queue in memory that keeps the port's promises (the contract tests hold it to them). */
export function createMemoryQueue({
  visibilityTimeoutSeconds = 30,
}: {
  visibilityTimeoutSeconds?: number
} = {}): MemoryQueue {
  const sent: {body: string; reason?: string}[] = []
  const held: Held[] = []
  const take = (most: number): ReceivedMessage[] => {
    const now = performance.now()
    return held
      .filter(({visibleAt}) => visibleAt <= now)
      .slice(0, most)
      .map((message) => {
        message.receiveCount += 1
        message.visibleAt = now + visibilityTimeoutSeconds * 1_000
        message.receipt = `${message.id}/${message.receiveCount}`
        const {id, body, receiveCount, receipt} = message
        return {id, body, receiveCount, receipt}
      })
  }
  return {
    sent,
    send: async (body, {reason} = {}) => {
      if (Buffer.byteLength(body) > limits.maxMessageBytes)
        throw new QueueError('TOO_LARGE', 'the message is too large')
      sent.push({body, ...(reason !== undefined && {reason})})
      held.push({id: String(sent.length), body, receiveCount: 0, visibleAt: 0, receipt: ''})
    },
    receive: async ({waitSeconds, maxMessages = 10, signal}) => {
      const end = performance.now() + waitSeconds * 1_000
      for (;;) {
        if (signal?.aborted) return []
        const messages = take(maxMessages)
        if (messages.length > 0 || performance.now() >= end) return messages
        await wait(5)
      }
    },
    delete: async ({receipt}) => {
      const index = held.findIndex((message) => message.receipt === receipt)
      if (index >= 0) held.splice(index, 1)
    },
    release: async ({receipt}, delaySeconds) => {
      const message = held.find((candidate) => candidate.receipt === receipt)
      if (message !== undefined) message.visibleAt = performance.now() + delaySeconds * 1_000
    },
  }
}
