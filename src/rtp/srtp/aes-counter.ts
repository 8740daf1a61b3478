// AES in counter mode over one long-lived cipher: the counter blocks are encrypted as ECB, since keying a cipher per packet costs
// more than enciphering the packet (RFC 3711 section 4.1.1).

import { type Cipher, createCipheriv } from 'node:crypto'

const BLOCK_BYTES = 16
/** Blocks enciphered at once; enough for a packet of 20 ms in any narrow codec. */
const BATCH_BLOCKS = 16
const COUNTER_AT = 14

/** Keystream of one AES key. */
export class AesCounter {
  readonly #cipher: Cipher
  readonly #blocks = new Uint8Array(BLOCK_BYTES * BATCH_BLOCKS)

  /** `key` has 16 or 32 bytes. */
  constructor(key: Uint8Array) {
    this.#cipher = createCipheriv(`aes-${key.length * 8}-ecb`, key, null).setAutoPadding(false)
  }

  /** Adds the keystream to `bytes[start, end)`; the first 14 bytes of `iv` count, a block counter from 0 follows them. */
  apply(iv: Uint8Array, bytes: Uint8Array, start: number, end: number): void {
    const blocks = this.#blocks
    let counter = 0
    for (let at = start; at < end; ) {
      const count = Math.min(BATCH_BLOCKS, Math.ceil((end - at) / BLOCK_BYTES))
      for (let block = 0; block < count; block++, counter++) {
        const offset = block * BLOCK_BYTES
        for (let i = 0; i < COUNTER_AT; i++) blocks[offset + i] = iv[i]!
        blocks[offset + COUNTER_AT] = counter >>> 8
        blocks[offset + COUNTER_AT + 1] = counter
      }
      const stream = this.#cipher.update(blocks.subarray(0, count * BLOCK_BYTES))
      const stop = Math.min(end, at + stream.length)
      for (let i = 0; at < stop; i++, at++) bytes[at]! ^= stream[i]!
    }
  }
}
