// Whose packets a stream takes: the first valid source, until it is silent or SDP names another (RTP-27).

/** A locked source silent for this long may be replaced. */
const SILENCE_MS = 2000
/** A new SSRC from the locked address takes over when the old one has been silent for this long... */
const SSRC_SILENCE_MS = 40
/** ...or after this many packets in a row. */
const SSRC_TAKEOVER_PACKETS = 3

/** What to do with a packet. `candidate`: keep it aside, its SSRC may take over with the next ones. */
export type SourceVerdict = 'same' | 'new-ssrc' | 'candidate' | 'refused'

/** Lock of one stream to an address and an SSRC. */
export class SourceLock {
  #host = ''
  #port = 0
  #ssrc = -1
  #lastMs = Number.NEGATIVE_INFINITY
  #candidateSsrc = -1
  #candidatePackets = 0
  #expectsMove = false

  /** Host that is locked to; empty before the first packet. */
  get host(): string {
    return this.#host
  }

  /** Whether packets of an address are those of the locked one. */
  isLockedTo(host: string, port: number): boolean {
    return port === this.#port && host === this.#host
  }

  /** Tells that a re-offer moved the peer's media: the next valid source takes over. */
  expectMove(): void {
    this.#expectsMove = true
  }

  /** Judges a valid RTP packet and, unless refused, takes its source as the locked one; an authentic one may come from anywhere. */
  judge(host: string, port: number, ssrc: number, nowMs: number, isAuthentic = false): SourceVerdict {
    if (port !== this.#port || host !== this.#host) {
      const mayMove = this.#expectsMove || nowMs - this.#lastMs > SILENCE_MS
      if (!mayMove && !isAuthentic) return 'refused'
      this.#host = host
      this.#port = port
      this.#expectsMove = false
      if (mayMove) return this.#take(ssrc, nowMs)
    }
    if (ssrc === this.#ssrc || nowMs - this.#lastMs > SSRC_SILENCE_MS) return this.#take(ssrc, nowMs)
    this.#candidatePackets = ssrc === this.#candidateSsrc ? this.#candidatePackets + 1 : 1
    this.#candidateSsrc = ssrc
    return this.#candidatePackets >= SSRC_TAKEOVER_PACKETS ? this.#take(ssrc, nowMs) : 'candidate'
  }

  #take(ssrc: number, nowMs: number): SourceVerdict {
    const isSame = ssrc === this.#ssrc
    this.#ssrc = ssrc
    this.#lastMs = nowMs
    this.#candidatePackets = 0
    return isSame ? 'same' : 'new-ssrc'
  }
}
