// Whom a leg listens to: the address of the SDP first, another one after silence or when it authenticates, never by SSRC alone.

import { type Endpoint, sameEndpoint } from '#kernel'

/** Silence of RTP after which another source may take over. */
const RELATCH_AFTER_MS = 500

/** Verdict on the source of a packet; `latched` means that it is now the one and our packets go there (symmetric RTP). */
export type LatchVerdict = 'accepted' | 'latched' | 'refused'

/** Source filter of one socket. */
export class Latch {
  readonly #relatchAfterMs: number
  #expected: Endpoint | undefined
  /** What was expected before there was no address. */
  #expectedBefore: Endpoint | undefined
  #source: Endpoint | undefined
  #target: Endpoint | undefined
  #lastAtMs = 0

  /** `relatchAfterMs`: silence after which another source may take over. */
  constructor(relatchAfterMs = RELATCH_AFTER_MS) {
    this.#relatchAfterMs = relatchAfterMs
  }

  /** Where to send: the latched source, or the SDP's address until something came. */
  get target(): Endpoint | undefined {
    return this.#target
  }

  /** Takes the address of an SDP. The same address again changes nothing, a hold by none between included; a new one is sent to at once, while the old source is still heard until it speaks. */
  expect(address: Endpoint | undefined, nowMs: number): void {
    if (address === undefined) {
      this.#expectedBefore = this.#expected ?? this.#expectedBefore
      this.#expected = undefined
      this.#target = undefined
      return
    }
    const known = this.#expected ?? this.#expectedBefore
    const isKnown = known !== undefined && sameEndpoint(known, address)
    if (isKnown && this.#expected !== undefined) return
    this.#expected = address
    this.#target = isKnown ? (this.#source ?? address) : address
    this.#lastAtMs = nowMs
  }

  /** Judges the source of a packet that is otherwise good; an authenticated packet is the party's wherever it comes from (RTP-27). */
  accept(host: string, port: number, nowMs: number, isAuthenticated = false): LatchVerdict {
    const source = this.#source
    if (source !== undefined && source.port === port && source.host === host) {
      this.#lastAtMs = nowMs
      return 'accepted'
    }
    const expected = this.#expected
    if (expected === undefined) return 'refused'
    const isExpected = expected.port === port && expected.host === host
    if (!isExpected && !isAuthenticated && nowMs - this.#lastAtMs < this.#relatchAfterMs) return 'refused'
    this.#source = isExpected ? expected : { host, port }
    this.#target = this.#source
    this.#lastAtMs = nowMs
    return 'latched'
  }

  /** Whether what we send goes to where the packets come from, so that nobody else need be heard. */
  get isSettled(): boolean {
    return this.#source !== undefined && this.#target !== undefined && sameEndpoint(this.#source, this.#target)
  }

  /** Whether the source has been quiet long enough for another one. */
  isQuiet(nowMs: number): boolean {
    return nowMs - this.#lastAtMs >= this.#relatchAfterMs
  }
}
