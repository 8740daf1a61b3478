// AES-GCM with a tag of 16 bytes (RFC 7714 sections 8 and 9).
//
// SRTP:  | header | payload (encrypted) | tag |            header authenticated
// SRTCP: | 8 bytes | rest (encrypted) | tag | E, index |   first 8 bytes and E, index authenticated

import { type CipherGCMTypes, createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto'
import { readUint32, writeUint32 } from '../packet.ts'
import { deriveKey, keyLabels } from './key-derivation.ts'
import { RTCP_CLEAR_BYTES, RTCP_ENCRYPTED, RTCP_INDEX_BYTES, type SrtpCipher } from './srtp-cipher.ts'
import { GCM_TAG_BYTES, masterOf, type SrtpKey } from './suite.ts'

const SALT_BYTES = 12

/** Key and salt of one kind of packet. */
interface SessionKey {
  readonly key: Uint8Array
  readonly salt: Uint8Array
}

/** Sealing and opening under one session key. */
class GcmKey {
  readonly #algorithm: CipherGCMTypes
  readonly #key: KeyObject
  readonly #salt: Uint8Array
  readonly #nonce = new Uint8Array(SALT_BYTES)

  constructor({ key, salt }: SessionKey) {
    this.#algorithm = key.length === 32 ? 'aes-256-gcm' : 'aes-128-gcm'
    this.#key = createSecretKey(key)
    this.#salt = salt
  }

  /** Encrypts `bytes[start, end)` in place and writes the tag behind. */
  seal(bytes: Uint8Array, start: number, end: number, associated: Uint8Array, nonce: Uint8Array): void {
    const cipher = createCipheriv(this.#algorithm, this.#key, nonce)
    cipher.setAAD(associated)
    bytes.set(cipher.update(bytes.subarray(start, end)), start)
    cipher.final()
    bytes.set(cipher.getAuthTag(), end)
  }

  /** Decrypts `bytes[start, end)`, behind which the tag stands; false, and nothing written, if it is not authentic. */
  open(bytes: Uint8Array, start: number, end: number, associated: Uint8Array, nonce: Uint8Array): boolean {
    const decipher = createDecipheriv(this.#algorithm, this.#key, nonce)
    decipher.setAuthTag(bytes.subarray(end, end + GCM_TAG_BYTES))
    decipher.setAAD(associated)
    const plain = decipher.update(bytes.subarray(start, end))
    try {
      decipher.final()
    } catch {
      return false
    }
    bytes.set(plain, start)
    return true
  }

  /** The salt mixed with the SSRC and 6 bytes of rollover counter and sequence number, or of SRTCP index. */
  nonceOf(ssrc: number, index: number): Uint8Array {
    const nonce = this.#nonce
    writeUint32(nonce, 0, Math.floor(ssrc / 0x10000))
    nonce[4] = ssrc >>> 8
    nonce[5] = ssrc
    writeUint32(nonce, 6, Math.floor(index / 0x10000))
    nonce[10] = (index >>> 8) & 0xff
    nonce[11] = index & 0xff
    for (let i = 0; i < SALT_BYTES; i++) nonce[i]! ^= this.#salt[i]!
    return nonce
  }
}

/** Cipher of the suites AEAD_AES_128_GCM and AEAD_AES_256_GCM. */
export class GcmCipher implements SrtpCipher {
  readonly #rtp: GcmKey
  readonly #rtcp: GcmKey

  /** Takes session keys, as they come out of the key derivation. */
  constructor(rtp: SessionKey, rtcp: SessionKey) {
    this.#rtp = new GcmKey(rtp)
    this.#rtcp = new GcmKey(rtcp)
  }

  /** The cipher of a master key. */
  static of(master: SrtpKey): GcmCipher {
    const { key, salt } = masterOf(master)
    const derive = (encryption: number, salting: number): SessionKey => ({
      key: deriveKey(key, salt, encryption, key.length),
      salt: deriveKey(key, salt, salting, SALT_BYTES),
    })
    return new GcmCipher(
      derive(keyLabels.rtpEncryption, keyLabels.rtpSalt),
      derive(keyLabels.rtcpEncryption, keyLabels.rtcpSalt),
    )
  }

  sealRtp(bytes: Uint8Array, headerBytes: number, size: number, ssrc: number, index: number): number {
    this.#rtp.seal(bytes, headerBytes, size, bytes.subarray(0, headerBytes), this.#rtp.nonceOf(ssrc, index))
    return size + GCM_TAG_BYTES
  }

  openRtp(bytes: Uint8Array, headerBytes: number, ssrc: number, index: number): number {
    const size = bytes.length - GCM_TAG_BYTES
    if (size < headerBytes) return -1
    const nonce = this.#rtp.nonceOf(ssrc, index)
    return this.#rtp.open(bytes, headerBytes, size, bytes.subarray(0, headerBytes), nonce) ? size : -1
  }

  sealRtcp(bytes: Uint8Array, size: number, ssrc: number, index: number): number {
    const indexAt = size + GCM_TAG_BYTES
    writeUint32(bytes, indexAt, index + RTCP_ENCRYPTED)
    const associated = associatedOf(bytes, RTCP_CLEAR_BYTES, indexAt)
    this.#rtcp.seal(bytes, RTCP_CLEAR_BYTES, size, associated, this.#rtcp.nonceOf(ssrc, index))
    return indexAt + RTCP_INDEX_BYTES
  }

  rtcpIndexOf(bytes: Uint8Array): number {
    const indexAt = bytes.length - RTCP_INDEX_BYTES
    return indexAt - GCM_TAG_BYTES < RTCP_CLEAR_BYTES ? -1 : readUint32(bytes, indexAt) % RTCP_ENCRYPTED
  }

  openRtcp(bytes: Uint8Array, ssrc: number, index: number): number {
    const indexAt = bytes.length - RTCP_INDEX_BYTES
    const size = indexAt - GCM_TAG_BYTES
    const isEncrypted = readUint32(bytes, indexAt) >= RTCP_ENCRYPTED
    // What is not encrypted is associated data in full (RFC 7714 section 9.3).
    const clearBytes = isEncrypted ? RTCP_CLEAR_BYTES : size
    const associated = associatedOf(bytes, clearBytes, indexAt)
    return this.#rtcp.open(bytes, clearBytes, size, associated, this.#rtcp.nonceOf(ssrc, index)) ? size : -1
  }
}

function associatedOf(bytes: Uint8Array, clearBytes: number, indexAt: number): Uint8Array {
  const associated = new Uint8Array(clearBytes + RTCP_INDEX_BYTES)
  associated.set(bytes.subarray(0, clearBytes))
  associated.set(bytes.subarray(indexAt, indexAt + RTCP_INDEX_BYTES), clearBytes)
  return associated
}
