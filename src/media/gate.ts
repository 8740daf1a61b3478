// The gate of a fork: one word of shared memory, shut at once by the thread that decides, opened in order by the one that sends.
//
// The word holds epoch * 2 + open. Shutting moves to the next epoch, so an opening that was asked for before a later shut
// finds another epoch and does nothing.

/** Control side and sending side of one gate. */
export class Gate {
  readonly memory: SharedArrayBuffer
  readonly #word: Int32Array

  private constructor(memory: SharedArrayBuffer) {
    this.memory = memory
    this.#word = new Int32Array(memory)
  }

  /** A new gate. */
  static create(isOpen: boolean): Gate {
    const gate = new Gate(new SharedArrayBuffer(4))
    Atomics.store(gate.#word, 0, isOpen ? 1 : 0)
    return gate
  }

  /** The same gate in another thread. */
  static attach(memory: SharedArrayBuffer): Gate {
    return new Gate(memory)
  }

  /** Read before every send. */
  get isOpen(): boolean {
    return (Atomics.load(this.#word, 0) & 1) === 1
  }

  /** Names the state that an opening is asked for in. */
  get epoch(): number {
    return Atomics.load(this.#word, 0) >> 1
  }

  /** Shuts now, for every thread. */
  shut(): void {
    Atomics.store(this.#word, 0, ((this.epoch + 1) << 1) & 0x7ffffffe)
  }

  /** Opens, unless it was shut again since `epoch` was read. */
  open(epoch: number): void {
    Atomics.compareExchange(this.#word, 0, epoch << 1, (epoch << 1) | 1)
  }
}
