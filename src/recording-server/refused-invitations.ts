// INVITEs that the recorder refused, with the reason and the message as it came: the answer to "OPTIONS works, INVITE does not".

import { type Clock, type SipTrace, sipTrace } from '#kernel'

const MAX_ENTRIES = 100
const MAX_BYTES = 2_000_000
/** INVITEs whose answer is still to come. */
const MAX_PENDING = 500
const MAX_PENDING_BYTES = 8_000_000

/** One refused INVITE. */
export interface RefusedInvitation {
  readonly refusalId: string
  readonly atMs: number
  /** Address and port that it came from. */
  readonly source: string
  readonly transport: string
  readonly status: number
  /** Why, in a word or two. */
  readonly reason: string
  /** The message, but for SRTP keys and digest responses. */
  readonly message: Uint8Array
}

/** An entry, with the Call-ID of its INVITE where it has one. */
interface Entry extends RefusedInvitation {
  readonly callId: string | undefined
}

interface Pending {
  readonly source: string
  readonly transport: string
  readonly message: Uint8Array
  reason: string | undefined
}

/** The last refused INVITEs of one SIP core, by the trace of its messages, in bounded memory. */
export class RefusedInvitations {
  readonly #core: string
  readonly #clock: Clock
  readonly #entries: Entry[] = []
  readonly #pending = new Map<string, Pending>()
  #entryBytes = 0
  #pendingBytes = 0
  /** Of those that are pending, which are known by their flow. */
  #nameless = 0
  #serial = 0
  readonly #onSip = (message: unknown): void => this.#observe(message as SipTrace)

  /** `core` is the name of the SIP core whose messages are watched. */
  constructor(core: string, clock: Clock) {
    this.#core = core
    this.#clock = clock
    sipTrace.subscribe(this.#onSip)
  }

  /** Newest first. */
  list(): readonly RefusedInvitation[] {
    return this.#entries.toReversed()
  }

  get(refusalId: string): RefusedInvitation | undefined {
    return this.#entries.find((entry) => entry.refusalId === refusalId)
  }

  /** Says why the INVITE of a Call-ID is about to be refused. */
  explain(callId: string, reason: string): void {
    for (const [key, pending] of this.#pending) if (key.startsWith(`${callId}\n`)) pending.reason = reason
  }

  /** Stops watching. */
  close(): void {
    sipTrace.unsubscribe(this.#onSip)
  }

  #observe(trace: SipTrace): void {
    const { core, direction, bytes, remote, transport } = trace
    if (core !== this.#core) return
    if (direction === 'in') {
      // One without readable Call-ID or CSeq is refused at once, before its flow brings anything else.
      if (this.#nameless > 0) this.#forget(flowKey(trace))
      if (startsWith(bytes, 'INVITE ')) this.#note(keyOf(bytes) ?? flowKey(trace), bytes, remote, transport)
      return
    }
    const status = startsWith(bytes, 'SIP/2.0 ') ? Number(textOf(bytes.subarray(8, 11))) : 0
    if (status < 200 || this.#pending.size === 0) return
    const key = keyOf(bytes) ?? (this.#nameless > 0 ? flowKey(trace) : undefined)
    if (key !== undefined) this.#settle(key, bytes, status)
  }

  #note(key: string, bytes: Uint8Array, source: string, transport: string): void {
    if (this.#pending.has(key)) return
    this.#forgetChallenge(callIdOf(key))
    // The transport may use its buffer again.
    this.#pending.set(key, { source, transport, message: bytes.slice(), reason: undefined })
    this.#pendingBytes += bytes.length
    if (isFlow(key)) this.#nameless += 1
    for (const [oldest] of this.#pending) {
      if (this.#pending.size <= MAX_PENDING && this.#pendingBytes <= MAX_PENDING_BYTES) break
      this.#forget(oldest)
    }
  }

  #settle(key: string, response: Uint8Array, status: number): void {
    const pending = this.#pending.get(key)
    if (pending === undefined) return
    this.#forget(key)
    if (status < 300) return
    const { source, transport, message, reason } = pending
    this.#serial += 1
    const phrase = /^SIP\/2\.0 \d{3} ([^\r\n]{0,80})/.exec(textOf(response.subarray(0, 100)))?.[1] ?? ''
    const refusalId = `${this.#serial}`
    const atMs = this.#clock.wallMs()
    const callId = callIdOf(key)
    this.#entries.push({ refusalId, atMs, source, transport, status, reason: reason ?? phrase, message, callId })
    this.#entryBytes += message.length
    while (this.#entries.length > MAX_ENTRIES || (this.#entryBytes > MAX_BYTES && this.#entries.length > 1)) {
      this.#entryBytes -= this.#entries.shift()!.message.length
    }
  }

  /** A client that answers a challenge was asked, not refused. */
  #forgetChallenge(callId: string | undefined): void {
    const at = this.#entries.findIndex((entry) => entry.status === 401 && entry.callId === callId)
    if (callId === undefined || at < 0) return
    const [answered] = this.#entries.splice(at, 1)
    this.#entryBytes -= answered?.message.length ?? 0
  }

  #forget(key: string): void {
    const pending = this.#pending.get(key)
    if (pending === undefined) return
    this.#pendingBytes -= pending.message.length
    if (isFlow(key)) this.#nameless -= 1
    this.#pending.delete(key)
  }
}

/** Stands for a message that has no name of its own; no Call-ID begins so. */
function flowKey({ transport, local, remote }: SipTrace): string {
  return `\n${transport} ${local} ${remote}`
}

function isFlow(key: string): boolean {
  return key.startsWith('\n')
}

function callIdOf(key: string): string | undefined {
  return isFlow(key) ? undefined : key.slice(0, key.indexOf('\n'))
}

/** Call-ID and CSeq number of an INVITE or of a response to one. */
function keyOf(bytes: Uint8Array): string | undefined {
  const head = textOf(bytes.subarray(0, 8192))
  const end = head.search(/\r?\n\r?\n/)
  const lines = end < 0 ? head : head.slice(0, end)
  const callId = /^(?:Call-ID|i)[ \t]*:[ \t]*(\S{1,300})/im.exec(lines)?.[1]
  const cseq = /^CSeq[ \t]*:[ \t]*(\d{1,10})[ \t]+INVITE\b/im.exec(lines)?.[1]
  return callId === undefined || cseq === undefined ? undefined : `${callId}\n${cseq}`
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  if (bytes.length < text.length) return false
  for (let at = 0; at < text.length; at++) if (bytes[at] !== text.charCodeAt(at)) return false
  return true
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder('latin1').decode(bytes)
}
