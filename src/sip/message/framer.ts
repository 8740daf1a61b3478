// Cuts a TCP or TLS byte stream into messages by Content-Length (RFC 3261 section 18.3), with RFC 5626 keep-alives between them.

import { CR, LF } from './characters.ts'
import { splitHead } from './head.ts'
import { MAX_MESSAGE_BYTES } from './limits.ts'
import type { SipParseError } from './parse-error.ts'
import { contentLength, parseMessage } from './parser.ts'

/** What came out of the stream; after `error` the connection must be closed. */
export type FramerOutput =
  | { readonly type: 'message'; readonly bytes: Uint8Array }
  | { readonly type: 'ping' }
  | { readonly type: 'pong' }
  | { readonly type: 'error'; readonly error: SipParseError }

/** Frames one stream; holds at most one message and the chunk at hand. */
export class StreamFramer {
  #pending: Uint8Array = new Uint8Array(0)
  /** Bytes of `#pending` in use; its capacity doubles, so many small chunks cost linear time. */
  #length = 0
  #scanned = 0
  /** Whole length of the message at hand once its head is complete. */
  #wanted = -1
  #failed = false
  /** A single CRLF came last: with the next it is a ping that was cut in two. */
  #halfPing = false

  /** Takes the next bytes of the stream and returns all that they complete. */
  push(chunk: Uint8Array): FramerOutput[] {
    const outputs: FramerOutput[] = []
    if (this.#failed) return outputs
    this.#add(chunk)
    while (!this.#failed && this.#step(outputs)) {}
    return outputs
  }

  #add(chunk: Uint8Array): void {
    const length = this.#length + chunk.length
    if (length > this.#pending.length) {
      const grown = new Uint8Array(Math.max(length, this.#pending.length * 2))
      grown.set(this.#pending.subarray(0, this.#length))
      this.#pending = grown
    }
    this.#pending.set(chunk, this.#length)
    this.#length = length
  }

  /** Takes one thing off the front; false when more bytes are needed. */
  #step(outputs: FramerOutput[]): boolean {
    if (this.#length === 0) return false
    if (this.#wanted < 0) {
      const first = this.#pending[0]
      if (first === CR || first === LF) return this.#lineEnds(outputs)
      const end = this.#headEnd()
      if (end < 0) {
        if (this.#length > MAX_MESSAGE_BYTES) this.#fail(outputs)
        return false
      }
      const length = bodyLength(this.#pending, end)
      if (length < 0 || end + length > MAX_MESSAGE_BYTES) {
        this.#fail(outputs)
        return false
      }
      this.#wanted = end + length
    }
    if (this.#length < this.#wanted) return false
    outputs.push({ type: 'message', bytes: this.#pending.slice(0, this.#wanted) })
    this.#drop(this.#wanted)
    this.#halfPing = false
    return true
  }

  /** Between messages: CRLFCRLF is a ping, a single CRLF the pong (RFC 5626 section 3.5.1). */
  #lineEnds(outputs: FramerOutput[]): boolean {
    const bytes = this.#pending
    if (bytes[0] === LF) {
      this.#drop(1)
      return true
    }
    if (this.#length < 2) return false
    if (bytes[1] !== LF) {
      this.#fail(outputs)
      return false
    }
    if (this.#length > 2 && bytes[2] === CR && this.#length < 4) return false
    const isDouble = this.#length >= 4 && bytes[2] === CR && bytes[3] === LF
    outputs.push({ type: isDouble || this.#halfPing ? 'ping' : 'pong' })
    this.#halfPing = !isDouble && !this.#halfPing
    this.#drop(isDouble ? 4 : 2)
    return true
  }

  /** Index just after the empty line, or -1; what was scanned is not scanned again. */
  #headEnd(): number {
    const bytes = this.#pending
    for (let at = this.#scanned; at < this.#length; at++) {
      if (bytes[at] !== LF || at === 0) continue
      if (bytes[at - 1] === LF || (bytes[at - 1] === CR && bytes[at - 2] === LF)) return at + 1
    }
    this.#scanned = this.#length
    return -1
  }

  #drop(count: number): void {
    this.#pending = this.#pending.subarray(count)
    this.#length -= count
    this.#scanned = 0
    this.#wanted = -1
  }

  #fail(outputs: FramerOutput[]): void {
    this.#failed = true
    const parsed = parseMessage(this.#pending.subarray(0, this.#length), {
      transport: 'stream',
    })
    const fallback: SipParseError = { code: 'too-large', message: 'message too large', offset: 0, status: 0 }
    outputs.push({ type: 'error', error: parsed.ok ? fallback : parsed.error })
    this.#pending = new Uint8Array(0)
    this.#length = 0
  }
}

/** Length of the body that the head announces; -1 when it does not say so exactly once. */
function bodyLength(bytes: Uint8Array, headEnd: number): number {
  const { headers } = splitHead(bytes, 0, headEnd)
  const [value, ...others] = headers.all('Content-Length')
  return value === undefined || others.length > 0 ? -1 : contentLength(value)
}
