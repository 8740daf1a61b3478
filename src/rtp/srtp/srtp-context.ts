// One direction of secured media under one master key: indices and replay per SSRC (RFC 3711 sections 3.2 and 3.3).

import { isRtcp, readUint32, rtpHeaderBytes } from '../packet.ts'
import { CounterCipher } from './counter-cipher.ts'
import { GcmCipher } from './gcm-cipher.ts'
import { estimateIndex, ReplayWindow } from './packet-index.ts'
import { MAX_SEAL_BYTES, RTCP_CLEAR_BYTES, type SrtpCipher } from './srtp-cipher.ts'
import { type SrtpKey, suiteSizes } from './suite.ts'

/** Sources that are followed under one key; more are refused, since forgetting one would let its packets be replayed. */
const MAX_SOURCES = 64
const MAX_RTCP_INDEX = 0x7fffffff

interface Source {
  readonly rtp: ReplayWindow
  readonly rtcp: ReplayWindow
}

function cipherFor(key: SrtpKey): SrtpCipher {
  return suiteSizes(key.suite).isAead ? GcmCipher.of(key) : new CounterCipher(key)
}

/** Secures what we send. */
export class SrtpSender {
  readonly #cipher: SrtpCipher
  readonly #sources = new Map<number, ReplayWindow>()
  #rtcpIndex = 0

  constructor(key: SrtpKey) {
    this.#cipher = cipherFor(key)
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
    if (compound.length < RTCP_CLEAR_BYTES || this.#rtcpIndex === MAX_RTCP_INDEX) return undefined
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

  constructor(key: SrtpKey) {
    this.#cipher = cipherFor(key)
  }

  /** The plain RTP packet, in the memory of the sealed one; undefined, and counted, when it is not to be trusted. */
  openRtp(bytes: Uint8Array): Uint8Array | undefined {
    const headerBytes = rtpHeaderBytes(bytes, bytes.length)
    if (headerBytes < 0 || isRtcp(bytes)) return this.#refuse()
    const ssrc = readUint32(bytes, 8)
    const source = this.#sourceOf(ssrc)
    if (source === undefined) return this.#refuse()
    const index = estimateIndex(source.rtp.highest, (bytes[2]! << 8) | bytes[3]!)
    if (!source.rtp.allows(index)) return this.#replay()
    const size = this.#cipher.openRtp(bytes, headerBytes, ssrc, index)
    if (size < 0) return this.#refuse()
    source.rtp.use(index)
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
    return { rtp: new ReplayWindow(), rtcp: new ReplayWindow() }
  }

  #refuse(): undefined {
    this.refused++
  }

  #replay(): undefined {
    this.replayed++
  }
}
