// All webhooks of a program: each has a queue of its own, so that a slow target holds up nobody else.

import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Clock, Ids, Logger } from '#kernel'
import type { EventLog } from '../events/event-log.ts'
import { readBacklog } from './webhook-journal.ts'
import { type WebhookOrder, WebhookTarget } from './webhook-target.ts'

/** What webhooks are made of. */
export interface WebhooksOptions {
  readonly targets: readonly WebhookOrder[]
  /** Folder of the queues. */
  readonly folder: string
  readonly events: EventLog
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
}

const ID_LENGTH = 12

/** The targets. */
export class Webhooks {
  readonly targets: readonly WebhookTarget[]
  readonly #unsubscribe: () => void

  private constructor(targets: readonly WebhookTarget[], events: EventLog) {
    this.targets = targets
    this.#unsubscribe = events.added.add((event) => {
      for (const target of targets) target.add(event)
    })
  }

  /** Goes on with what an earlier run left. */
  static async open({ targets, folder, events, clock, ids, log }: WebhooksOptions): Promise<Webhooks> {
    const opened = targets.map(async (order) => {
      const id = createHash('sha256').update(order.url).digest('hex').slice(0, ID_LENGTH)
      const file = join(folder, `${id}.jsonl`)
      return new WebhookTarget({ ...order, id, file, backlog: await readBacklog(file), clock, ids, log })
    })
    return new Webhooks(await Promise.all(opened), events)
  }

  find(id: string): WebhookTarget | undefined {
    return this.targets.find((target) => target.id === id)
  }

  async close(): Promise<void> {
    this.#unsubscribe()
    await Promise.all(this.targets.map((target) => target.close()))
  }
}
