// What waits in the spool and when it is delivered: as soon as there may be a recorder, one recording at a time, beside live calls.

import { messageOf, type Timer } from '#kernel'
import type { RecordingEvent } from './recording-event.ts'
import type { SessionSurroundings } from './session-port.ts'
import { SpoolDelivery } from './spool-delivery.ts'
import { readFacts, type SpoolFacts } from './spool-facts.ts'
import type { SpooledFile, SpoolHappening, SpoolPort } from './spool-port.ts'

const firstRetryMs = 10_000
const longestRetryMs = 600_000
const NOT_ALLOWED = 'no recorder of its list is allowed here'

/** A recording that waits in the spool, as operators see it; times are milliseconds since 1970. */
export interface SpooledView {
  readonly id: string
  readonly state: 'waiting' | 'delivering' | 'unreadable'
  /** Absent when it cannot be read. */
  readonly callId?: string
  readonly recording?: string
  /** When what it holds began; when it was written last if it cannot be read. */
  readonly sinceMs: number
  readonly bytes: number
  /** Attempts at recorders since the start of the process. */
  readonly attempts: number
  readonly lastError?: string
  /** Absent while it is delivered. */
  readonly nextTryAtMs?: number
}

interface Waiting {
  readonly id: string
  readonly bytes: number
  attempts: number
  lastError: string | undefined
  readonly facts: SpoolFacts
  /** Lists of recorders of which one each is still to have it. */
  targets: readonly (readonly string[])[]
  retryMs: number
  dueAtMs: number
}

/** Deliveries out of the spool, until closed. */
export class SpoolDeliveries {
  readonly #spool: SpoolPort
  readonly #around: SessionSurroundings
  readonly #onEvent: (event: RecordingEvent) => void
  readonly #waiting = new Map<string, Waiting>()
  readonly #unreadable = new Map<string, SpooledView>()
  /** Delivered: a list that was asked for before may have them still, and one that cannot be removed stays in every list. */
  readonly #gone = new Map<string, 'removed' | 'stuck'>()
  #looks = 0
  #timer: Timer | undefined
  /** The one that is being delivered. */
  #current: string | undefined
  #isClosed = false

  constructor(spool: SpoolPort, around: SessionSurroundings, onEvent: (event: RecordingEvent) => void) {
    this.#spool = spool
    this.#around = around
    this.#onEvent = onEvent
  }

  /** Whether one is under way. */
  get isBusy(): boolean {
    return this.#current !== undefined
  }

  /** What waits, oldest first; what is being recorded is not complete and does not wait yet. */
  get waiting(): readonly SpooledView[] {
    const all = [...this.#unreadable.values(), ...[...this.#waiting.values()].map((one) => this.#viewOf(one))]
    return all.sort((one, other) => one.sinceMs - other.sinceMs)
  }

  /** Looks at what there is, and delivers what is due. */
  async look(): Promise<void> {
    this.#looks += 1
    try {
      for (const file of await this.#spool.list()) if (!this.#gone.has(file.id)) await this.#learn(file)
    } catch (fault) {
      this.#around.log.warn('the spool failed', { fault: messageOf(fault) })
    }
    this.#looks -= 1
    if (this.#looks === 0) for (const [id, state] of this.#gone) if (state === 'removed') this.#gone.delete(id)
    this.#next()
  }

  /** A recorder may be had: nobody waits any longer. */
  hurry(): void {
    for (const waiting of this.#waiting.values()) waiting.dueAtMs = 0
    this.#next()
  }

  /** Begins no more. */
  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
  }

  async #learn(file: SpooledFile): Promise<void> {
    const { id, isExpired, problem } = file
    const facts = file.facts === undefined ? undefined : readFacts(file.facts)
    if (isExpired && this.#current !== id) {
      this.#waiting.delete(id)
      this.#unreadable.delete(id)
      await this.#spool.remove(id)
      if (facts?.ok) this.#tell(facts.value, { type: 'spool.expired' })
      this.#around.log.warn('a spooled recording is too old and was removed', { spooled: id })
      return
    }
    if (facts?.ok !== true) {
      if (!this.#unreadable.has(id)) {
        const reason = problem ?? (facts?.ok === false ? facts.error : 'it has no facts')
        const { bytes, writtenAtMs: sinceMs } = file
        this.#unreadable.set(id, { id, state: 'unreadable', sinceMs, bytes, attempts: 0, lastError: reason })
        this.#around.log.error('a spooled recording cannot be read', { spooled: id, reason })
      }
      return
    }
    if (this.#waiting.has(id)) return
    const { targets, span } = facts.value
    // The program may have ended before the recording did: then the last packet was its end.
    const whole = { ...facts.value, span: { toMs: file.writtenAtMs, ...span } }
    const untried = { attempts: 0, lastError: undefined, retryMs: firstRetryMs, dueAtMs: 0 }
    this.#waiting.set(id, { id, bytes: file.bytes, facts: whole, targets, ...untried })
  }

  #next(): void {
    this.#timer?.cancel()
    if (this.isBusy || this.#isClosed) return
    const waiting = [...this.#waiting.values()].sort((one, other) => one.dueAtMs - other.dueAtMs)[0]
    if (waiting === undefined) return
    const { clock } = this.#around
    const inMs = waiting.dueAtMs - clock.nowMs()
    if (inMs <= 0) void this.#deliver(waiting)
    else this.#timer = clock.after(inMs, 'spool retry', () => void this.look())
  }

  async #deliver(waiting: Waiting): Promise<void> {
    const { id, facts } = waiting
    this.#current = id
    const delivery = new SpoolDelivery(id, facts, this.#spool, this.#around)
    const left: (readonly string[])[] = []
    for (const target of waiting.targets) {
      const isDelivered = !this.#isClosed && (await this.#deliverTo(target, delivery, waiting))
      if (!isDelivered) left.push(target)
    }
    waiting.targets = left
    if (left.length === 0) await this.#remove(id)
    else this.#postpone(waiting)
    this.#current = undefined
    this.#next()
  }

  async #deliverTo(target: readonly string[], delivery: SpoolDelivery, waiting: Waiting): Promise<boolean> {
    const { facts } = waiting
    const attempts = await delivery.run(target)
    waiting.attempts += attempts.length
    const problem = attempts.length === 0 ? NOT_ALLOWED : attempts.at(-1)?.problem
    waiting.lastError = problem ?? waiting.lastError
    for (const { recorder, session, packets, problem } of attempts) {
      if (problem === undefined) this.#tell(facts, { type: 'spool.delivered', packets, session }, recorder)
      else this.#tell(facts, { type: 'spool.undelivered', reason: problem, session }, recorder)
    }
    if (attempts.length === 0) {
      this.#tell(facts, { type: 'spool.undelivered', reason: NOT_ALLOWED })
    }
    return attempts.some(({ problem }) => problem === undefined)
  }

  async #remove(id: string): Promise<void> {
    this.#waiting.delete(id)
    this.#gone.set(id, 'stuck')
    try {
      await this.#spool.remove(id)
      this.#gone.set(id, 'removed')
    } catch (fault) {
      this.#around.log.error('a delivered recording could not be removed', { spooled: id, fault: messageOf(fault) })
    }
  }

  #viewOf({ id, bytes, attempts, lastError, facts, dueAtMs }: Waiting): SpooledView {
    const { clock } = this.#around
    const isCurrent = id === this.#current
    const nextTryAtMs = clock.wallMs() + Math.max(0, dueAtMs - clock.nowMs())
    return {
      id,
      state: isCurrent ? 'delivering' : 'waiting',
      callId: facts.live.callId,
      recording: facts.recording,
      sinceMs: facts.span.fromMs,
      bytes,
      attempts,
      ...(lastError === undefined ? {} : { lastError }),
      ...(isCurrent ? {} : { nextTryAtMs }),
    }
  }

  #postpone(waiting: Waiting): void {
    waiting.dueAtMs = this.#around.clock.nowMs() + waiting.retryMs
    waiting.retryMs = Math.min(2 * waiting.retryMs, longestRetryMs)
  }

  #tell({ live, recording }: SpoolFacts, happening: SpoolHappening, recorder?: string): void {
    this.#onEvent({
      callId: live.callId,
      recording,
      ...(recorder === undefined ? {} : { recorder }),
      ...happening,
    })
  }
}
