// The events for one target: delivered one after the other, again and again, and put aside when it never works.

import type { Clock, Ids, Logger, Timer } from '#kernel'
import { typeFilter } from '../events/event-cursor.ts'
import type { ApiEvent } from '../events/event-vocabulary.ts'
import { type Backlog, type DeadLetter, WebhookJournal } from './webhook-journal.ts'
import { type DeliveryResult, deliver } from './webhook-sender.ts'
import { signedHeaders } from './webhook-signature.ts'

/** Where events go, which, how long and how often. */
export interface WebhookOrder {
  readonly url: string
  readonly secret: string
  /** As types of event, or beginnings as in `recording.*`; empty: all. */
  readonly events: readonly string[]
  /** Events that wait; one that finds no room is a dead letter. */
  readonly queue: number
  readonly attempts: number
  readonly timeoutMs: number
}

/** What a target needs. */
export interface WebhookTargetOptions extends WebhookOrder {
  readonly id: string
  /** File of its queue. */
  readonly file: string
  readonly backlog: Backlog
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
}

const FIRST_DELAY_MS = 1_000
const LONGEST_DELAY_MS = 3_600_000
const MOST_DEAD = 1_000

/** A target and its queue. */
export class WebhookTarget {
  readonly id: string
  readonly #options: WebhookTargetOptions
  readonly #isWanted: (type: string) => boolean
  readonly #journal: WebhookJournal
  readonly #waiting: ApiEvent[]
  #dead: DeadLetter[]
  #attempts = 0
  #delivered = 0
  #last: { readonly at: string; readonly result: string } | undefined
  #retry: { readonly timer: Timer; readonly atMs: number } | undefined
  #sending: Promise<void> | undefined
  #abort: AbortController | undefined
  #isClosed = false

  constructor(options: WebhookTargetOptions) {
    this.id = options.id
    this.#options = options
    this.#isWanted = typeFilter(options.events)
    this.#waiting = [...options.backlog.waiting]
    this.#dead = [...options.backlog.dead]
    const backlog = (): Backlog => ({ waiting: this.#waiting, dead: this.#dead })
    this.#journal = new WebhookJournal(options.file, options.log, backlog)
    this.#pump()
  }

  /** Takes an event, if it is one for this target; returns at once. */
  add(event: ApiEvent): void {
    if (!this.#isWanted(event.type) || this.#isClosed) return
    if (this.#waiting.length >= this.#options.queue) {
      this.#bury(event, 'no room in the queue', 0)
      return
    }
    this.#waiting.push(event)
    this.#journal.note({ op: 'wait', event })
    this.#pump()
  }

  /** Has a dead letter delivered after all that waits; false when there is none. */
  revive(eventId: number): boolean {
    const letter = this.#dead.find(({ event }) => event.id === eventId)
    if (letter === undefined) return false
    this.#dead = this.#dead.filter((other) => other !== letter)
    this.#journal.note({ op: 'undo', id: eventId })
    this.#waiting.push(letter.event)
    this.#journal.note({ op: 'wait', event: letter.event })
    this.#pump()
    return true
  }

  /** The target as shown to operators. */
  view() {
    const { url, events } = this.#options
    return {
      id: this.id,
      url: withoutSecrets(url),
      events: [...events],
      waiting: this.#waiting.length,
      delivered: this.#delivered,
      dead: this.#dead.length,
      ...(this.#last === undefined ? {} : { last: this.#last }),
      ...(this.#retry === undefined ? {} : { nextAttemptAt: new Date(this.#retry.atMs).toISOString() }),
    }
  }

  /** Events that were not delivered, the oldest first. */
  get deadLetters(): readonly DeadLetter[] {
    return this.#dead
  }

  /** Gives up what is under way; what waits is delivered by the next run. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#retry?.timer.cancel()
    this.#abort?.abort()
    await this.#sending
    await this.#journal.close()
  }

  #pump(): void {
    if (this.#sending !== undefined || this.#retry !== undefined || this.#isClosed) return
    const [event] = this.#waiting
    if (event === undefined) return
    this.#sending = this.#send(event).then((result) => {
      this.#sending = undefined
      if (this.#isClosed) return
      this.#onResult(event, result)
      this.#pump()
    })
  }

  async #send(event: ApiEvent): Promise<DeliveryResult> {
    const { url, secret, clock, timeoutMs } = this.#options
    const body = JSON.stringify(event)
    const abort = new AbortController()
    this.#abort = abort
    const timer = clock.after(timeoutMs, 'webhook', () => abort.abort())
    const headers = signedHeaders(secret, `evt_${event.id}`, Math.floor(clock.wallMs() / 1_000), body)
    const result = await deliver(url, headers, body, abort.signal)
    timer.cancel()
    return result
  }

  #onResult(event: ApiEvent, result: DeliveryResult): void {
    const { clock, attempts, log } = this.#options
    const at = new Date(clock.wallMs()).toISOString()
    this.#last = { at, result: result.ok ? `status ${result.status}` : result.reason }
    if (result.ok) {
      this.#delivered += 1
      this.#attempts = 0
      this.#waiting.shift()
      this.#journal.note({ op: 'done', id: event.id })
      return
    }
    this.#attempts += 1
    if (this.#attempts >= attempts) {
      this.#waiting.shift()
      this.#bury(event, result.reason, this.#attempts)
      this.#attempts = 0
      return
    }
    log.warn('webhook was not delivered', {
      webhook: this.id,
      event: event.id,
      attempt: this.#attempts,
      reason: result.reason,
    })
    this.#later(result.retryAfterMs ?? 0)
  }

  #later(leastMs: number): void {
    const { clock, ids } = this.#options
    const delayMs = Math.min(FIRST_DELAY_MS * 2 ** (this.#attempts - 1), LONGEST_DELAY_MS)
    // A fifth more or less, so that targets that came back are not asked by everybody at once.
    const waitMs = Math.max(leastMs, Math.round(delayMs * (0.8 + ids.integer(401) / 1_000)))
    const timer = clock.after(waitMs, 'webhook', () => {
      this.#retry = undefined
      this.#pump()
    })
    this.#retry = { timer, atMs: clock.wallMs() + waitMs }
  }

  #bury(event: ApiEvent, reason: string, attempts: number): void {
    const { clock, log } = this.#options
    const letter = { event, reason, attempts, failedAt: new Date(clock.wallMs()).toISOString() }
    log.error('webhook is given up', { webhook: this.id, event: event.id, attempts, reason })
    this.#dead.push(letter)
    this.#journal.note({ op: 'dead', letter })
    for (const { event: oldest } of this.#dead.splice(0, this.#dead.length - MOST_DEAD)) {
      this.#journal.note({ op: 'undo', id: oldest.id })
    }
  }
}

function withoutSecrets(url: string): string {
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname}`
}
