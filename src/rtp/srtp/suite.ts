// The SRTP protection profiles we speak: sizes of their keys, salts and tags (RFC 4568 section 6.2, RFC 7714 section 14.2).

import { invariant } from '#kernel'

/** SRTP protection profiles by their names in SDP. */
export type SrtpSuite = 'AES_CM_128_HMAC_SHA1_80' | 'AES_CM_128_HMAC_SHA1_32' | 'AEAD_AES_128_GCM' | 'AEAD_AES_256_GCM'

/** One direction's key. */
export interface SrtpKey {
  readonly suite: SrtpSuite
  /** Master key followed by master salt. */
  readonly material: Uint8Array
}

/** Keys of both directions; a new key starts its direction's rollover counter at 0, the same key goes on (RFC 4568 section 7.1.4). */
export interface SrtpKeys {
  readonly send: SrtpKey
  readonly receive: SrtpKey
}

/** Sizes of a suite, in bytes. */
export interface SuiteSizes {
  readonly keyBytes: number
  readonly saltBytes: number
  /** What RTP packets grow by; SRTCP always carries the long tag. */
  readonly rtpTagBytes: number
  readonly isAead: boolean
}

/** Bytes of an AES-GCM tag (RFC 7714 section 13). */
export const GCM_TAG_BYTES = 16
/** Bytes of the HMAC tag of SRTCP, also where RTP has the short one (RFC 4568 section 6.2.2). */
export const HMAC_TAG_BYTES = 10

const sizes: Readonly<Record<SrtpSuite, SuiteSizes>> = {
  AES_CM_128_HMAC_SHA1_80: { keyBytes: 16, saltBytes: 14, rtpTagBytes: HMAC_TAG_BYTES, isAead: false },
  AES_CM_128_HMAC_SHA1_32: { keyBytes: 16, saltBytes: 14, rtpTagBytes: 4, isAead: false },
  AEAD_AES_128_GCM: { keyBytes: 16, saltBytes: 12, rtpTagBytes: GCM_TAG_BYTES, isAead: true },
  AEAD_AES_256_GCM: { keyBytes: 32, saltBytes: 12, rtpTagBytes: GCM_TAG_BYTES, isAead: true },
}

/** Every suite, the strongest first. */
export const srtpSuites: readonly SrtpSuite[] = [
  'AEAD_AES_256_GCM',
  'AEAD_AES_128_GCM',
  'AES_CM_128_HMAC_SHA1_80',
  'AES_CM_128_HMAC_SHA1_32',
]

/** Sizes of a suite. */
export function suiteSizes(suite: SrtpSuite): SuiteSizes {
  return sizes[suite]
}

/** Splits key material into master key and salt. */
export function masterOf({ suite, material }: SrtpKey): { readonly key: Uint8Array; readonly salt: Uint8Array } {
  const { keyBytes, saltBytes } = sizes[suite]
  invariant(material.length === keyBytes + saltBytes, 'key material has the length that its suite wants')
  return { key: material.subarray(0, keyBytes), salt: material.subarray(keyBytes) }
}
