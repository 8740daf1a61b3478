// One direction of secured media under one master key: indices and replay per SSRC (RFC 3711 sections 3.2 and 3.3).

import { isRtcp, readUint32, rtpHeaderBytes } from '../packet.ts'
import { CounterCipher } from './counter-cipher.ts'
import { GcmCipher } from './gcm-cipher.ts'
import { estimateIndex, ReplayWindow, SEQUENCE_MODULUS } from './packet-index.ts'
import { MAX_SEAL_BYTES, RTCP_CLEAR_BYTES, type SrtpCipher } from './srtp-cipher.ts'
import { type SrtpKey, suiteSizes } from './suite.ts'

/** Sources that are followed under one key; more are refused, since forgetting one would let its packets be replayed. */
const MAX_SOURCES = 64
const MAX_RTCP_INDEX = 0x7fffffff

interface Source {
  readonly rtp: ReplayWindow
  readonly rtcp: ReplayWindow
  /** How many rollovers it may have gone through unheard. */
  mayHaveRolled: number
  /** RTP packets that were taken since this was asked for last. */
  taken: number
}

/** A source as another process takes it up. */
export interface HeardSource {
  readonly ssrc: number
  /** No index up to these is taken again; -1: none was. */
  readonly rtp: number
  readonly rtcp: number
  /** Rollovers that it may have gone through unheard. */
  readonly mayHaveRolled: number
}

/** What was heard under one key. */
export interface Heard {
  readonly sources: readonly HeardSource[]
  /** Rollovers that another source may have gone through unheard. */
  readonly mayHaveRolled: number
}

/** Tries for one packet are as many; hours of silence. */
const MOST_ROLLOVERS = 64

/** Of RTCP little comes between two times of being asked, and a report that is refused is no loss. */
const RTCP_AHEAD = 1

function cipherFor(key: SrtpKey): SrtpCipher {
  return suiteSizes(key.suite).isAead ? GcmCipher.of(key) : new CounterCipher(key)
}

/** Secures what we send. */
export class SrtpSender {
  readonly #cipher: SrtpCipher
  readonly #sources = new Map<number, ReplayWindow>()
  #rtcpIndex: number

  /** `rtcpIndex`: what another process may have used of the key: ours begin behind it. */
  constructor(key: SrtpKey, rtcpIndex = 0) {
    this.#cipher = cipherFor(key)
    this.#rtcpIndex = rtcpIndex
  }

  /** The last SRTCP index that was used. */
  get rtcpIndex(): number {
    return this.#rtcpIndex
  }

  /**
   * Seals the RTP packet in `bytes[0, size)`, behind which there is room for `MAX_SEAL_BYTES`; returns the size then, or -1 for a packet
   * that may not leave: malformed, or its index was used already (section 9.1: a keystream never serves twice).
   */
  sealRtp(bytes: Uint8Array, size: number): number {
    const headerBytes = rtpHeaderBytes(bytes, size)
    if (headerBytes < 0) return -1
    const ssrc = readUint32(bytes, 8)
    const window = this.#sources.get(ssrc) ?? new ReplayWindow()
    const index = estimateIndex(window.highest, (bytes[2]! << 8) | bytes[3]!)
    if (!window.allows(index) || (window.highest < 0 && this.#sources.size >= MAX_SOURCES)) return -1
    window.use(index)
    this.#sources.set(ssrc, window)
    return this.#cipher.sealRtp(bytes, headerBytes, size, ssrc, index)
  }

  /** A sealed copy of an RTCP compound; undefined once the key is used up (section 9.2). */
  sealRtcp(compound: Uint8Array): Uint8Array | undefined {
    if (compound.length < RTCP_CLEAR_BYTES || this.#rtcpIndex >= MAX_RTCP_INDEX) return undefined
    const bytes = new Uint8Array(compound.length + MAX_SEAL_BYTES)
    bytes.set(compound)
    const size = this.#cipher.sealRtcp(bytes, compound.length, readUint32(compound, 4), ++this.#rtcpIndex)
    return bytes.subarray(0, size)
  }
}

/** Opens what we receive. */
export class SrtpReceiver {
  /** Packets that were malformed, or not authentic. */
  refused = 0
  /** Packets that were authentic in form but seen before, or too old to tell. */
  replayed = 0
  readonly #cipher: SrtpCipher
  readonly #sources = new Map<number, Source>()
  readonly #mayHaveRolled: number

  /** `before`: goes on where another process under the same key stopped, `rollovers` of its packets at most after that. */
  constructor(key: SrtpKey, before: Heard = { sources: [], mayHaveRolled: 0 }, rollovers = 0) {
    this.#cipher = cipherFor(key)
    const since = (rolled: number): number => Math.min(MOST_ROLLOVERS, rolled + rollovers)
    this.#mayHaveRolled = since(before.mayHaveRolled)
    for (const { ssrc, rtp, rtcp, mayHaveRolled } of before.sources.slice(0, MAX_SOURCES)) {
      const windows = { rtp: new ReplayWindow(rtp), rtcp: new ReplayWindow(rtcp) }
      this.#sources.set(ssrc, { ...windows, mayHaveRolled: since(mayHaveRolled), taken: 0 })
    }
  }

  /**
   * What another process goes on from, should this one die before it is asked again: for each source what was used, and as much more as may
   * be used until then, at least `leastAhead` packets.
   */
  heard(leastAhead: number): Heard {
    const sources = [...this.#sources].map(([ssrc, source]) => {
      const { rtp, rtcp, taken, mayHaveRolled } = source
      source.taken = 0
      return {
        ssrc,
        rtp: rtp.isFresh ? rtp.highest : rtp.highest + Math.max(leastAhead, 2 * taken),
        rtcp: rtcp.isFresh ? rtcp.highest : rtcp.highest + RTCP_AHEAD,
        mayHaveRolled,
      }
    })
    return { sources, mayHaveRolled: this.#mayHaveRolled }
  }

  /** The plain RTP packet, in the memory of the sealed one; undefined, and counted, when it is not to be trusted. */
  openRtp(bytes: Uint8Array): Uint8Array | undefined {
    const headerBytes = rtpHeaderBytes(bytes, bytes.length)
    if (headerBytes < 0 || isRtcp(bytes)) return this.#refuse()
    const ssrc = readUint32(bytes, 8)
    const source = this.#sourceOf(ssrc)
    if (source === undefined) return this.#refuse()
    const index = estimateIndex(source.rtp.highest, (bytes[2]! << 8) | bytes[3]!)
    if (source.mayHaveRolled > 0) return this.#openAfterGap(bytes, headerBytes, ssrc, source, index)
    if (!source.rtp.allows(index)) return this.#replay()
    const size = this.#cipher.openRtp(bytes, headerBytes, ssrc, index)
    return size < 0 ? this.#refuse() : this.#takeRtp(bytes, size, ssrc, source, index)
  }

  /** The first packet of a source that may have rolled over unheard: its tag tells with which counter it was sealed. */
  #openAfterGap(
    bytes: Uint8Array,
    headerBytes: number,
    ssrc: number,
    source: Source,
    estimate: number,
  ): Uint8Array | undefined {
    for (let rollovers = 0; rollovers <= source.mayHaveRolled; rollovers++) {
      const index = estimate + rollovers * SEQUENCE_MODULUS
      if (!source.rtp.allows(index)) continue
      // A try that fails may leave its traces.
      const tried = Uint8Array.from(bytes)
      const size = this.#cipher.openRtp(tried, headerBytes, ssrc, index)
      if (size < 0) continue
      bytes.set(tried)
      source.mayHaveRolled = 0
      return this.#takeRtp(bytes, size, ssrc, source, index)
    }
    return source.rtp.allows(estimate) ? this.#refuse() : this.#replay()
  }

  #takeRtp(bytes: Uint8Array, size: number, ssrc: number, source: Source, index: number): Uint8Array {
    source.rtp.use(index)
    source.taken++
    this.#sources.set(ssrc, source)
    return bytes.subarray(0, size)
  }

  /** The plain RTCP compound, in the memory of the sealed one; undefined, and counted, when it is not to be trusted. */
  openRtcp(bytes: Uint8Array): Uint8Array | undefined {
    const index = isRtcp(bytes) ? this.#cipher.rtcpIndexOf(bytes) : -1
    if (index < 0) return this.#refuse()
    const ssrc = readUint32(bytes, 4)
    const source = this.#sourceOf(ssrc)
    if (source === undefined) return this.#refuse()
    if (!source.rtcp.allows(index)) return this.#replay()
    const size = this.#cipher.openRtcp(bytes, ssrc, index)
    if (size < 0) return this.#refuse()
    source.rtcp.use(index)
    this.#sources.set(ssrc, source)
    return bytes.subarray(0, size)
  }

  /** A source is remembered only once a packet of it was authentic. */
  #sourceOf(ssrc: number): Source | undefined {
    const known = this.#sources.get(ssrc)
    if (known !== undefined || this.#sources.size >= MAX_SOURCES) return known
    const windows = { rtp: new ReplayWindow(), rtcp: new ReplayWindow() }
    return { ...windows, mayHaveRolled: this.#mayHaveRolled, taken: 0 }
  }

  #refuse(): undefined {
    this.refused++
  }

  #replay(): undefined {
    this.replayed++
  }
}
