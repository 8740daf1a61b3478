// Session keys out of a master key: the AES-CM pseudo-random function at key derivation rate 0 (RFC 3711 section 4.3).

import { AesCounter } from './aes-counter.ts'

/** What a session key is for (RFC 3711 section 4.3.2). */
export const keyLabels = {
  rtpEncryption: 0,
  rtpAuthentication: 1,
  rtpSalt: 2,
  rtcpEncryption: 3,
  rtcpAuthentication: 4,
  rtcpSalt: 5,
} as const

const IV_BYTES = 16
const LABEL_AT = 7

/** Derives `byteCount` bytes; a salt shorter than 14 bytes is padded on the right (RFC 7714 section 11). */
export function deriveKey(key: Uint8Array, salt: Uint8Array, label: number, byteCount: number): Uint8Array {
  const iv = new Uint8Array(IV_BYTES)
  iv.set(salt)
  iv[LABEL_AT]! ^= label
  const derived = new Uint8Array(byteCount)
  new AesCounter(key).apply(iv, derived, 0, byteCount)
  return derived
}
