// The delivery of one spooled recording: its packets in the order in which they came, some times faster, to the lines that are open.

import { type Clock, messageOf, type Timer } from '#kernel'
import { timestampDistance } from '#rtp'
import type { DeliveryLine } from './delivery-line.ts'
import type { SpoolReader } from './spool-file.ts'
import { payloadTypeOf, type SpoolRecord, timestampOf } from './spool-format.ts'

/** Short, since a recorder may take the time of arrival for that of a stream's first packet. */
const TICK_MS = 5
/** Packets per stream and tick, at most, for each time that the delivery is faster than the call was: what came at once does not leave at once. */
const BURST = 2

/** So much of what follows tells when a packet was said. */
const AHEAD_MS = 3000
/** A packet that was kept from us for longer than this was not. */
const MOST_LATE_MS = 1000

/** What a delivery works with. */
export interface DeliverySurroundings {
  readonly clock: Clock
  /** Of all its lines: they go by one clock (RFC 3550 section 6.5.1). */
  readonly cname: string
  readonly speed: number
  readonly onSent: () => void
  readonly onFault: (reason: string) => void
}

/** Sends while any of its lines is open; time stands still while all are shut. */
export class SpoolDelivery {
  readonly lines = new Map<string, DeliveryLine>()
  readonly #reader: SpoolReader
  readonly #around: DeliverySurroundings
  #records: SpoolRecord[] = []
  #at = 0
  #isAtEnd = false
  #firstAtMs: number | undefined
  #spentMs = 0
  #tickedAtMs: number | undefined
  #timer: Timer | undefined

  constructor(reader: SpoolReader, around: DeliverySurroundings) {
    this.#reader = reader
    this.#around = around
  }

  get cname(): string {
    return this.#around.cname
  }

  /**
   * When a packet was said, in ms since 1970: none comes before it was said, but some are held up, and the fastest of those
   * that follow shows by how much.
   */
  saidAtMs(record: SpoolRecord, clockRateHz: number): number {
    const earliest = record.atMs - MOST_LATE_MS
    let saidAtMs = record.atMs
    for (let at = this.#at; at < this.#records.length; at++) {
      const other = this.#records[at]!
      if (other.atMs > record.atMs + AHEAD_MS) break
      if (other.stream !== record.stream || payloadTypeOf(other) !== payloadTypeOf(record)) continue
      const ticks = timestampDistance(timestampOf(record), timestampOf(other))
      const wouldBe = other.atMs - (ticks * 1000) / clockRateHz
      if (wouldBe >= earliest) saidAtMs = Math.min(saidAtMs, wouldBe)
    }
    return saidAtMs
  }

  /** Opens or shuts lines; the first that opens starts it. */
  set(forks: readonly string[], isOpen: boolean): void {
    for (const fork of forks) this.lines.get(fork)?.set(isOpen)
    const isFlowing = [...this.lines.values()].some((line) => line.isFlowing)
    if (isFlowing && this.#timer === undefined) this.#wait()
    else if (!isFlowing) this.#rest()
  }

  close(): void {
    this.#rest()
    this.#reader.close()
  }

  #rest(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#tickedAtMs = undefined
  }

  #wait(): void {
    this.#timer = this.#around.clock.after(TICK_MS, 'spool delivery', () => {
      try {
        if (this.#tick()) this.#wait()
        else this.#around.onSent()
      } catch (fault) {
        this.#around.onFault(messageOf(fault))
      }
    })
  }

  /** Sends what is due; false when there is no more. */
  #tick(): boolean {
    const nowMs = this.#around.clock.nowMs()
    this.#spentMs += nowMs - (this.#tickedAtMs ?? nowMs)
    this.#tickedAtMs = nowMs
    const lineByStream = new Map([...this.lines.values()].map((line) => [line.stream, line]))
    const { speed } = this.#around
    for (let left = Math.ceil(BURST * speed * this.lines.size); left > 0; left -= 1) {
      const record = this.#peek()
      if (record === undefined) return false
      this.#firstAtMs ??= record.atMs
      if ((record.atMs - this.#firstAtMs) / speed > this.#spentMs) break
      this.#at += 1
      lineByStream.get(record.stream)?.send(record)
    }
    return true
  }

  /** The next packet; those of the seconds after it are read as well. */
  #peek(): SpoolRecord | undefined {
    for (;;) {
      const record = this.#records[this.#at]
      const isEnough = record !== undefined && this.#records.at(-1)!.atMs > record.atMs + AHEAD_MS
      if (isEnough || this.#isAtEnd) return record
      const next = this.#reader.nextPackets()
      this.#isAtEnd = next === undefined
      this.#records = [...this.#records.slice(this.#at), ...(next ?? [])]
      this.#at = 0
    }
  }
}
