// The copies for recorders, made once the packets that wait in the sockets have gone to the parties: a call never waits for its recording.

import type { Clock } from '#kernel'
import { type MediaPacket, newMediaPacket, type PacketTaker } from './media-packet.ts'

/** So few that a packet for a party never waits longer than they take. */
const MOST_PER_TURN = 16
/** Above this the oldest copy is made at once: none is left out, and memory has a limit. */
const MOST_WAITING = 1024
const NOBODY: readonly PacketTaker[] = []
const NOTHING = new Uint8Array(0)

/** Where a leg leaves what is to be copied. */
export interface Copies {
  /** Copies the packet later, in the order of the calls; its memory may be sent from, but not changed behind its header. */
  add(takers: readonly PacketTaker[], packet: MediaPacket, nowMs: number, onFault: (fault: unknown) => void): void
}

interface Entry {
  takers: readonly PacketTaker[]
  readonly packet: MediaPacket
  atMs: number
  /** Stands for a packet where something else of a fork is due. */
  work: (() => void) | undefined
  onFault: (fault: unknown) => void
}

/** What is to be copied in one worker. */
export class CopyQueue implements Copies {
  readonly #schedule: (turn: () => void) => void
  readonly #ring: Entry[] = []
  #first = 0
  #size = 0
  #isScheduled = false
  readonly #turn = (): void => {
    this.#isScheduled = false
    for (let made = 0; made < MOST_PER_TURN && this.#size > 0; made++) this.#makeFirst()
    if (this.#size > 0) this.#wake()
  }

  /** `schedule` calls back once, when the sockets have been read. */
  constructor(schedule: (turn: () => void) => void) {
    this.#schedule = schedule
  }

  /** Copies that wait. */
  get size(): number {
    return this.#size
  }

  add(takers: readonly PacketTaker[], packet: MediaPacket, nowMs: number, onFault: (fault: unknown) => void): void {
    if (takers.length === 0) return
    const entry = this.#append(onFault)
    const kept = entry.packet
    entry.takers = takers
    entry.atMs = nowMs
    kept.bytes = packet.bytes
    kept.payloadOffset = packet.payloadOffset
    kept.payloadLength = packet.payloadLength
    kept.csrcCount = packet.csrcCount
    kept.payload = packet.payload
    kept.sourceId = packet.sourceId
    kept.extendedSequence = packet.extendedSequence
    kept.timestamp = packet.timestamp
    kept.marker = packet.marker
    this.#wake()
  }

  /** Does something of a fork behind the copies that wait. */
  afterwards(work: () => void, onFault: (fault: unknown) => void): void {
    this.#append(onFault).work = work
    this.#wake()
  }

  /** Makes every copy that waits, so that what comes next finds nothing under way. */
  flush(): void {
    while (this.#size > 0) this.#makeFirst()
  }

  #wake(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#schedule(this.#turn)
  }

  #append(onFault: (fault: unknown) => void): Entry {
    if (this.#size === MOST_WAITING) this.#makeFirst()
    const at = (this.#first + this.#size++) % MOST_WAITING
    const entry = this.#ring[at] ?? newEntry()
    this.#ring[at] = entry
    entry.onFault = onFault
    return entry
  }

  #makeFirst(): void {
    const entry = this.#ring[this.#first]!
    this.#first = (this.#first + 1) % MOST_WAITING
    this.#size--
    const { takers, packet, work, onFault } = entry
    const { bytes } = packet
    entry.takers = NOBODY
    entry.work = undefined
    if (work !== undefined) attempt(work, onFault)
    for (const taker of takers) copyTo(taker, entry)
    if (packet.bytes !== bytes) this.#replace(bytes, packet.bytes)
    packet.bytes = NOTHING
  }

  /** Others that wait to be copied from memory that the system still reads get the new memory too. */
  #replace(old: Uint8Array, bytes: Uint8Array): void {
    for (let i = 0; i < this.#size; i++) {
      const { packet } = this.#ring[(this.#first + i) % MOST_WAITING]!
      if (packet.bytes === old) packet.bytes = bytes
    }
  }
}

function copyTo(taker: PacketTaker, { packet, atMs, onFault }: Entry): void {
  try {
    taker.copy(packet, atMs)
  } catch (fault) {
    onFault(fault)
  }
}

function attempt(work: () => void, onFault: (fault: unknown) => void): void {
  try {
    work()
  } catch (fault) {
    onFault(fault)
  }
}

function newEntry(): Entry {
  return { takers: NOBODY, packet: newMediaPacket(), atMs: 0, work: undefined, onFault: () => {} }
}

/** A clock whose timers fire behind the copies that wait: for what a fork sends by itself. */
export function clockBehindCopies(clock: Clock, queue: CopyQueue, onFault: (fault: unknown) => void): Clock {
  return {
    nowMs: () => clock.nowMs(),
    wallMs: () => clock.wallMs(),
    after: (delayMs, name, fire) => {
      let isCancelled = false
      const due = (): void => {
        if (!isCancelled) fire()
      }
      const timer = clock.after(delayMs, name, () => queue.afterwards(due, onFault))
      return {
        cancel: () => {
          isCancelled = true
          timer.cancel()
        },
      }
    },
  }
}
