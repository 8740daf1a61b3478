// AES in counter mode with HMAC-SHA1 (RFC 3711 sections 4.1.1 and 4.2.1).
//
// SRTP:  | header | payload (encrypted) | tag |            tag over all before it and the rollover counter
// SRTCP: | 8 bytes | rest (encrypted) | E, index | tag |   tag over all before it

import { createHmac, timingSafeEqual } from 'node:crypto'
import { readUint32, writeUint32 } from '../packet.ts'
import { AesCounter } from './aes-counter.ts'
import { deriveKey, keyLabels } from './key-derivation.ts'
import { RTCP_CLEAR_BYTES, RTCP_ENCRYPTED, RTCP_INDEX_BYTES, type SrtpCipher } from './srtp-cipher.ts'
import { HMAC_TAG_BYTES, masterOf, type SrtpKey, suiteSizes } from './suite.ts'

const AUTHENTICATION_KEY_BYTES = 20
const SALT_BYTES = 14
const ROC_BYTES = 4

/** Encryption and authentication under one set of session keys. */
class CounterKeys {
  readonly #aes: AesCounter
  readonly #salt: Uint8Array
  readonly #authenticationKey: Uint8Array
  readonly #iv = new Uint8Array(SALT_BYTES)
  readonly #tag = new Uint8Array(HMAC_TAG_BYTES)

  constructor(encryptionKey: Uint8Array, authenticationKey: Uint8Array, salt: Uint8Array) {
    this.#aes = new AesCounter(encryptionKey)
    this.#authenticationKey = authenticationKey
    this.#salt = salt
  }

  /** Encrypts, or decrypts, `bytes[start, end)`. */
  apply(bytes: Uint8Array, start: number, end: number, ssrc: number, index: number): void {
    const iv = this.#iv
    iv.set(this.#salt)
    xorUint32(iv, 4, ssrc)
    xorUint32(iv, 8, Math.floor(index / 0x10000))
    iv[12]! ^= (index >>> 8) & 0xff
    iv[13]! ^= index & 0xff
    this.#aes.apply(iv, bytes, start, end)
  }

  /** The tag over `bytes[0, size)`. */
  tagOf(bytes: Uint8Array, size: number): Buffer {
    return createHmac('sha1', this.#authenticationKey).update(bytes.subarray(0, size)).digest()
  }

  /** Keeps a tag from being written over. */
  take(bytes: Uint8Array, at: number, length: number): void {
    this.#tag.set(bytes.subarray(at, at + length))
  }

  /** Whether the tag that was taken belongs to `bytes[0, size)`. */
  isAuthentic(bytes: Uint8Array, size: number, length: number): boolean {
    return timingSafeEqual(this.tagOf(bytes, size).subarray(0, length), this.#tag.subarray(0, length))
  }
}

/** Cipher of the suites AES_CM_128_HMAC_SHA1_80 and _32. */
export class CounterCipher implements SrtpCipher {
  readonly #rtp: CounterKeys
  readonly #rtcp: CounterKeys
  readonly #rtpTagBytes: number

  constructor(master: SrtpKey) {
    const { key, salt } = masterOf(master)
    const derive = (label: number, byteCount: number): Uint8Array => deriveKey(key, salt, label, byteCount)
    this.#rtp = new CounterKeys(
      derive(keyLabels.rtpEncryption, key.length),
      derive(keyLabels.rtpAuthentication, AUTHENTICATION_KEY_BYTES),
      derive(keyLabels.rtpSalt, SALT_BYTES),
    )
    this.#rtcp = new CounterKeys(
      derive(keyLabels.rtcpEncryption, key.length),
      derive(keyLabels.rtcpAuthentication, AUTHENTICATION_KEY_BYTES),
      derive(keyLabels.rtcpSalt, SALT_BYTES),
    )
    this.#rtpTagBytes = suiteSizes(master.suite).rtpTagBytes
  }

  sealRtp(bytes: Uint8Array, headerBytes: number, size: number, ssrc: number, index: number): number {
    this.#rtp.apply(bytes, headerBytes, size, ssrc, index)
    writeUint32(bytes, size, Math.floor(index / 0x10000))
    bytes.set(this.#rtp.tagOf(bytes, size + ROC_BYTES).subarray(0, this.#rtpTagBytes), size)
    return size + this.#rtpTagBytes
  }

  openRtp(bytes: Uint8Array, headerBytes: number, ssrc: number, index: number): number {
    const size = bytes.length - this.#rtpTagBytes
    if (size < headerBytes) return -1
    // The rollover counter takes the place of the tag, which is never shorter.
    this.#rtp.take(bytes, size, this.#rtpTagBytes)
    writeUint32(bytes, size, Math.floor(index / 0x10000))
    if (!this.#rtp.isAuthentic(bytes, size + ROC_BYTES, this.#rtpTagBytes)) return -1
    this.#rtp.apply(bytes, headerBytes, size, ssrc, index)
    return size
  }

  sealRtcp(bytes: Uint8Array, size: number, ssrc: number, index: number): number {
    this.#rtcp.apply(bytes, RTCP_CLEAR_BYTES, size, ssrc, index)
    writeUint32(bytes, size, index + RTCP_ENCRYPTED)
    const tagAt = size + RTCP_INDEX_BYTES
    bytes.set(this.#rtcp.tagOf(bytes, tagAt).subarray(0, HMAC_TAG_BYTES), tagAt)
    return tagAt + HMAC_TAG_BYTES
  }

  rtcpIndexOf(bytes: Uint8Array): number {
    const indexAt = bytes.length - HMAC_TAG_BYTES - RTCP_INDEX_BYTES
    return indexAt < RTCP_CLEAR_BYTES ? -1 : readUint32(bytes, indexAt) % RTCP_ENCRYPTED
  }

  openRtcp(bytes: Uint8Array, ssrc: number, index: number): number {
    const tagAt = bytes.length - HMAC_TAG_BYTES
    const size = tagAt - RTCP_INDEX_BYTES
    this.#rtcp.take(bytes, tagAt, HMAC_TAG_BYTES)
    if (!this.#rtcp.isAuthentic(bytes, tagAt, HMAC_TAG_BYTES)) return -1
    if (readUint32(bytes, size) >= RTCP_ENCRYPTED) this.#rtcp.apply(bytes, RTCP_CLEAR_BYTES, size, ssrc, index)
    return size
  }
}

function xorUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at]! ^= value >>> 24
  bytes[at + 1]! ^= (value >>> 16) & 0xff
  bytes[at + 2]! ^= (value >>> 8) & 0xff
  bytes[at + 3]! ^= value & 0xff
}
