// Buffers for outgoing packets: each belongs to one send until the system is done with it.

/** Room for one packet; longer payloads than a path MTU carries are not media. */
export const SLOT_BYTES = 2048
const MAX_SLOTS = 8192

/** Who is told when a send is done. */
export interface SlotOwner {
  onSent(error: Error | null): void
}

/** One buffer with its completion callback, made once. */
export interface SendSlot {
  readonly bytes: Buffer
  owner: SlotOwner | undefined
  readonly done: (error: Error | null) => void
}

/** The slots of one worker; grows with what is in flight, up to a limit. */
export class SlotRing {
  readonly #free: SendSlot[] = []
  #made = 0

  /** A free slot; undefined when the limit is in flight. */
  take(): SendSlot | undefined {
    return this.#free.pop() ?? (this.#made < MAX_SLOTS ? this.#make() : undefined)
  }

  /** Gives back a slot whose send was never started. */
  give(slot: SendSlot): void {
    slot.owner = undefined
    this.#free.push(slot)
  }

  #make(): SendSlot {
    this.#made++
    const slot: SendSlot = {
      bytes: Buffer.allocUnsafeSlow(SLOT_BYTES),
      owner: undefined,
      done: (error) => {
        const owner = slot.owner
        this.give(slot)
        owner?.onSent(error)
      },
    }
    return slot
  }
}
