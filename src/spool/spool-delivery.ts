// The delivery of one spooled recording: its packets in the order in which they came, some times faster, to the lines that are open.

import { type Clock, messageOf, type Timer } from '#kernel'
import type { DeliveryLine } from './delivery-line.ts'
import type { SpoolReader } from './spool-file.ts'
import type { SpoolRecord } from './spool-format.ts'

/** Short, since a recorder may take the time of arrival for that of a stream's first packet. */
const TICK_MS = 5
/** Packets per stream and tick, at most, for each time that the delivery is faster than the call was: what came at once does not leave at once. */
const BURST = 2

/** What a delivery works with. */
export interface DeliverySurroundings {
  readonly clock: Clock
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
  #firstAtMs: number | undefined
  #spentMs = 0
  #tickedAtMs: number | undefined
  #timer: Timer | undefined

  constructor(reader: SpoolReader, around: DeliverySurroundings) {
    this.#reader = reader
    this.#around = around
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

  #peek(): SpoolRecord | undefined {
    while (this.#at >= this.#records.length) {
      const next = this.#reader.nextPackets()
      if (next === undefined) return undefined
      this.#records = next
      this.#at = 0
    }
    return this.#records[this.#at]
  }
}
