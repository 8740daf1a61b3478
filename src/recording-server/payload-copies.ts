// Copies of payloads that wait for their place. Many share a block: what the socket gave is free at once, and nothing
// of it is left for the garbage collector to move.

const BLOCK_BYTES = 4096

/** Payloads of one stream. */
export class PayloadCopies {
  #block = new Uint8Array(BLOCK_BYTES)
  #used = 0

  /** A copy of `count` bytes from `from` on. */
  of(bytes: Uint8Array, from: number, count: number): Uint8Array {
    if (count > BLOCK_BYTES) return Uint8Array.prototype.slice.call(bytes, from, from + count)
    if (this.#used + count > BLOCK_BYTES) {
      this.#block = new Uint8Array(BLOCK_BYTES)
      this.#used = 0
    }
    const block = this.#block
    const start = this.#used
    this.#used = start + count
    for (let at = 0; at < count; at++) block[start + at] = bytes[from + at]!
    return block.subarray(start, start + count)
  }
}
