// The packets of a run that have a place and are not written yet, by position.

import type { TimelinePacket } from './timeline-sink.ts'
import { UsualStep } from './usual-step.ts'

/** A packet at its place; an epoch is a stretch in which RTP time tells the places. */
export interface Placed {
  position: number
  readonly packet: TimelinePacket
  readonly epoch: number
}

/** Assumed of packets until two in a row tell. */
const USUAL_PACKET_MS = 20
/** A packet is taken to last until the next one, unless that leaves out more than one packet's time. */
const STRETCH_LIMIT = 2

/** Packets that wait for those that were overtaken. */
export class PlacedPackets {
  readonly #placed: Placed[] = []
  readonly #usualTicks: number
  readonly #steps = new UsualStep()

  constructor(clockRateHz: number) {
    this.#usualTicks = Math.round((USUAL_PACKET_MS * clockRateHz) / 1000)
  }

  get size(): number {
    return this.#placed.length
  }

  /** End of the last one; undefined if there is none. */
  get end(): number | undefined {
    const last = this.#placed.at(-1)
    return last && last.position + this.lengthOf(last.packet)
  }

  /** Two packets in a row are so many ticks apart. */
  noteStep(ticks: number): void {
    this.#steps.add(ticks)
  }

  /** Ticks of a packet by itself. */
  lengthOf(packet: TimelinePacket): number {
    return packet.ticks ?? this.#steps.usual ?? this.#usualTicks
  }

  /** Adds a packet; one that is there already is dropped. */
  insert(placed: Placed): void {
    const { sequence } = placed.packet
    let at = this.#placed.length
    while (at > 0 && isAfter(this.#placed[at - 1]!, placed)) at -= 1
    const before = this.#placed[at - 1]
    if (before?.epoch === placed.epoch && before.packet.sequence === sequence) return
    if (at === this.#placed.length) this.#placed.push(placed)
    else this.#placed.splice(at, 0, placed)
  }

  /** Hands on, and forgets, those that end up to a position; how many there were. */
  take(upTo: number, each: (placed: Placed, end: number) => void): number {
    let done = 0
    for (const placed of this.#placed) {
      const end = placed.position + this.#lengthBefore(placed, this.#placed[done + 1])
      if (end > upTo) break
      each(placed, end)
      done += 1
    }
    if (done > 0) this.#placed.splice(0, done)
    return done
  }

  /** Moves all of an epoch towards the start, by at most so many ticks and into nothing that is taken; by how many. */
  moveEarlier(epoch: number, most: number, writtenTo: number): number {
    const first = this.#placed.findIndex((placed) => placed.epoch === epoch)
    const before = this.#placed[first - 1]
    const freeFrom = before === undefined ? writtenTo : before.position + this.lengthOf(before.packet)
    const count = Math.floor(Math.min(most, this.#placed[first]!.position - freeFrom))
    if (count <= 0) return 0
    for (const placed of this.#placed.slice(first)) placed.position -= count
    return count
  }

  /** Length of a packet beside the one after it. */
  #lengthBefore({ packet, position, epoch }: Placed, next: Placed | undefined): number {
    const usual = this.lengthOf(packet)
    if (packet.ticks !== undefined || next?.epoch !== epoch) return usual
    const step = next.position - position
    const isNext = next.packet.sequence === packet.sequence + 1
    return isNext && step <= STRETCH_LIMIT * usual ? step : Math.min(usual, step)
  }
}

function isAfter(one: Placed, other: Placed): boolean {
  if (one.position !== other.position) return one.position > other.position
  return one.packet.sequence > other.packet.sequence
}
