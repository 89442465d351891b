/** Sends to one queue. Standard-queue semantics: at least once, any order, may be lost with the queue. */
export interface QueueSender {
  /** Sends one message (UTF-8 text, at most `limits.maxMessageBytes`). Rejects with `QueueError`. */
  send(body: string, options?: {reason?: string}): Promise<void>
}

/** A received message; invisible to others until its visibility timeout, and gone once deleted. */
export interface ReceivedMessage {
  id: string
  body: string
  /** How often it was received, this time included. */
  receiveCount: number
  /** Opaque; names this receipt to `delete`. */
  receipt: string
}

/** Receives from one queue. */
export interface QueueReceiver {
  /** Waits up to `waitSeconds` (0-20) for at most `maxMessages` (1-10). An abort resolves to none. */
  receive(options: {waitSeconds: number; maxMessages?: number; signal?: AbortSignal}): Promise<ReceivedMessage[]>
  delete(message: ReceivedMessage): Promise<void>
  /** Lets others receive the message again after `delaySeconds` (0-43200), in place of its visibility timeout. */
  release(message: ReceivedMessage, delaySeconds: number): Promise<void>
}

/** Notifies clusters, each on the queue of its own. */
export interface ClusterQueues {
  /** `'no-queue'` where the cluster has none (yet): it finds its desired state by polling once it is there. */
  notify(cluster: string, body: string): Promise<'sent' | 'no-queue'>
}
