// What a suite does to one packet; which packet index it has and whether it was seen before is decided elsewhere.

/** Seals and opens packets under the session keys of one master key, in the memory where they lie. */
export interface SrtpCipher {
  /** Seals the packet in `bytes[0, size)`, whose payload begins at `headerBytes`; there must be room behind. Returns the size then. */
  sealRtp(bytes: Uint8Array, headerBytes: number, size: number, ssrc: number, index: number): number
  /** Opens all of `bytes`; returns the size of the packet, or -1 if it is not authentic. */
  openRtp(bytes: Uint8Array, headerBytes: number, ssrc: number, index: number): number
  /** Seals a compound in `bytes[0, size)`; there must be room behind. Returns the size then. */
  sealRtcp(bytes: Uint8Array, size: number, ssrc: number, index: number): number
  /** The SRTCP index that a sealed compound carries, unverified; -1 when it is too short to be one. */
  rtcpIndexOf(bytes: Uint8Array): number
  /** Opens all of `bytes`; returns the size of the compound, or -1 if it is not authentic. */
  openRtcp(bytes: Uint8Array, ssrc: number, index: number): number
}

/** Bytes of an RTCP compound that stay in clear: the first header and the SSRC. */
export const RTCP_CLEAR_BYTES = 8
/** Bytes of the E flag and the SRTCP index. */
export const RTCP_INDEX_BYTES = 4
/** The E flag: the compound is encrypted. */
export const RTCP_ENCRYPTED = 0x80000000
/** What a sealed packet may be longer than its plain form by. */
export const MAX_SEAL_BYTES = 20
