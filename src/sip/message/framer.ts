// Cuts a TCP or TLS byte stream into messages by Content-Length (RFC 3261 section 18.3), with RFC 5626 keep-alives between them.

import { bodyEnd, closingDelimiter, hasStartLine } from './body-end.ts'
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
  /** `bytes`: what there is of the message at fault. */
  | { readonly type: 'error'; readonly error: SipParseError; readonly bytes: Uint8Array }

/** How a stream is framed. */
export interface FramerOptions {
  /** The closing delimiter of a multipart body outweighs Content-Length. */
  readonly isTolerant?: boolean
}

/** Frames one stream; holds at most one message and the chunk at hand. */
export class StreamFramer {
  #pending: Uint8Array = new Uint8Array(0)
  /** Bytes of `#pending` in use; its capacity doubles, so many small chunks cost linear time. */
  #length = 0
  #scanned = 0
  /** Whole length of the message at hand once its head is complete. */
  #wanted = -1
  /** Of the message at hand, once its head is complete. */
  #bodyStart = 0
  /** What ends its body by itself; looked at only where that counts. */
  #delimiter: Uint8Array | undefined
  readonly #isTolerant: boolean
  #failed = false
  /** A single CRLF came last: with the next it is a ping that was cut in two. */
  #halfPing = false

  constructor({ isTolerant = false }: FramerOptions = {}) {
    this.#isTolerant = isTolerant
  }

  /** Whether the message at hand has a body that is over though more is announced, or is not over though no more is. */
  get isDoubtful(): boolean {
    if (this.#wanted < 0 || this.#delimiter === undefined) return false
    return this.#length >= this.#wanted || this.#delimitedEnd(this.#length) >= 0
  }

  /** Nothing more has come for a while: takes a doubtful message as it is, and what follows it. */
  settle(): FramerOutput[] {
    const outputs: FramerOutput[] = []
    if (!this.isDoubtful) return outputs
    this.#take(
      Math.min(this.#wanted, this.#length < this.#wanted ? this.#delimitedEnd(this.#length) : this.#length),
      outputs,
    )
    while (!this.#failed && this.#step(outputs)) {}
    return outputs
  }

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
      const { length, delimiter } = bodyOf(this.#pending, end)
      if (length < 0 || end + length > MAX_MESSAGE_BYTES) {
        this.#fail(outputs)
        return false
      }
      this.#wanted = end + length
      this.#bodyStart = end
      this.#delimiter = this.#isTolerant ? delimiter : undefined
    }
    const end = this.#messageEnd()
    if (end < 0) return false
    this.#take(end, outputs)
    return true
  }

  #take(end: number, outputs: FramerOutput[]): void {
    outputs.push({ type: 'message', bytes: this.#pending.slice(0, end) })
    this.#drop(end)
    this.#halfPing = false
  }

  /** -1 as long as more has to come. */
  #messageEnd(): number {
    if (this.#length < this.#wanted) return -1
    if (this.#delimiter === undefined || this.#delimitedEnd(this.#wanted) >= 0) return this.#wanted
    const end = this.#delimitedEnd(this.#length)
    return hasStartLine(this.#pending, this.#wanted, end < 0 ? this.#length : end) ? this.#wanted : end
  }

  #delimitedEnd(to: number): number {
    return this.#delimiter === undefined ? -1 : bodyEnd(this.#pending, this.#bodyStart, to, this.#delimiter)
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
    const bytes = this.#pending.slice(0, this.#length)
    outputs.push({ type: 'error', error: parsed.ok ? fallback : parsed.error, bytes })
    this.#pending = new Uint8Array(0)
    this.#length = 0
  }
}

/** Length of the body that the head announces, -1 when it does not say so exactly once; and what ends a multipart. */
function bodyOf(bytes: Uint8Array, headEnd: number) {
  const { headers } = splitHead(bytes, 0, headEnd)
  const [value, ...others] = headers.all('Content-Length')
  const length = value === undefined || others.length > 0 ? -1 : contentLength(value)
  return { length, delimiter: closingDelimiter(headers.get('Content-Type')) }
}
