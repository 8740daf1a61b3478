// SRTP and SRTCP bytes of one stream (RFC 3711, RFC 7714), with keys in SDP (RFC 4568), written from those texts: what a peer
// sends under its key, and what it reads under the other's.

import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'

/** A protection profile by its name in SDP. */
export type Suite = 'AES_CM_128_HMAC_SHA1_80' | 'AES_CM_128_HMAC_SHA1_32' | 'AEAD_AES_128_GCM' | 'AEAD_AES_256_GCM'

type Shape = {
  readonly keyBytes: number
  readonly saltBytes: number
  readonly rtpTagBytes: number
  readonly gcm?: 'aes-128-gcm' | 'aes-256-gcm'
}

const SHAPES: Record<Suite, Shape> = {
  AES_CM_128_HMAC_SHA1_80: { keyBytes: 16, saltBytes: 14, rtpTagBytes: 10 },
  AES_CM_128_HMAC_SHA1_32: { keyBytes: 16, saltBytes: 14, rtpTagBytes: 4 },
  AEAD_AES_128_GCM: { keyBytes: 16, saltBytes: 12, rtpTagBytes: 16, gcm: 'aes-128-gcm' },
  AEAD_AES_256_GCM: { keyBytes: 32, saltBytes: 12, rtpTagBytes: 16, gcm: 'aes-256-gcm' },
}
const GCM_TAG_BYTES = 16
const RTCP_TAG_BYTES = 10

/** A master key with its salt. */
export type MasterKey = { readonly suite: Suite; readonly material: Buffer }

/** A fresh key. */
export function freshKey(suite: Suite): MasterKey {
  const { keyBytes, saltBytes } = SHAPES[suite]
  return { suite, material: randomBytes(keyBytes + saltBytes) }
}

/** The value of its crypto line. */
export function cryptoLine({ suite, material }: MasterKey): string {
  return `1 ${suite} inline:${material.toString('base64')}`
}

/** The key of an m-line by its only crypto line; throws when it has none, or not one of that suite. */
export function keyOfLine(attributes: readonly string[], suite: Suite): MasterKey {
  const lines = attributes.filter((attribute) => attribute.startsWith('crypto:'))
  const [, tag, name, inline] = /^crypto:(\d+) (\S+) inline:(\S+)$/.exec(lines[0] ?? '') ?? []
  if (lines.length !== 1 || tag !== '1' || name !== suite) throw new Error('RFC 4568 5.1.2: not the one crypto line')
  return { suite, material: Buffer.from(inline!, 'base64') }
}

type SessionKey = { readonly key: Buffer; readonly salt: Buffer; readonly auth: Buffer }

/** Key derivation with rate 0 (RFC 3711 section 4.3.3): the salt, a label at its eighth octet, two octets of counter. */
function derive(master: MasterKey, firstLabel: number): SessionKey {
  const { keyBytes, saltBytes } = SHAPES[master.suite]
  const masterKey = master.material.subarray(0, keyBytes)
  const prf = (label: number, bytes: number): Buffer => {
    const x = Buffer.alloc(16)
    master.material.copy(x, 0, keyBytes)
    x[7]! ^= label
    const cipher = createCipheriv(keyBytes === 32 ? 'aes-256-ctr' : 'aes-128-ctr', masterKey, x)
    return cipher.update(Buffer.alloc(bytes))
  }
  return { key: prf(firstLabel, keyBytes), auth: prf(firstLabel + 1, 20), salt: prf(firstLabel + 2, saltBytes) }
}

/** Counter mode: salt, SSRC from octet 4 on, index from octet 8 on, two octets of block counter (section 4.1.1). */
function counterMode({ key, salt }: SessionKey, ssrc: number, index: bigint, text: Buffer): Buffer {
  const iv = Buffer.alloc(16)
  salt.copy(iv)
  const value = BigInt(`0x${iv.toString('hex')}`) ^ (BigInt(ssrc) << 64n) ^ (index << 16n)
  Buffer.from(value.toString(16).padStart(32, '0'), 'hex').copy(iv)
  return createCipheriv('aes-128-ctr', key, iv).update(text)
}

function tagOf({ auth }: SessionKey, parts: readonly Buffer[], bytes: number): Buffer {
  const hmac = createHmac('sha1', auth)
  for (const part of parts) hmac.update(part)
  return hmac.digest().subarray(0, bytes)
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}

/** Two octets zero, SSRC, 48 bits of index, all mixed with the salt (RFC 7714 sections 8.1 and 9.1). */
function gcmIv({ salt }: SessionKey, ssrc: number, index: bigint): Buffer {
  const iv = Buffer.concat([Buffer.alloc(2), uint32(ssrc), Buffer.from(index.toString(16).padStart(12, '0'), 'hex')])
  for (let i = 0; i < iv.length; i++) iv[i]! ^= salt[i]!
  return iv
}

/** What leaves under one key. */
export class SrtpSide {
  readonly key: MasterKey
  readonly #rtp: SessionKey
  readonly #rtcp: SessionKey
  readonly #shape: Shape
  /** By SSRC: rollovers so far, and the last sequence number. */
  readonly #counters = new Map<number, { roc: number; last: number }>()
  #rtcpIndex = 0

  constructor(key: MasterKey) {
    this.key = key
    this.#shape = SHAPES[key.suite]
    this.#rtp = derive(key, 0)
    this.#rtcp = derive(key, 3)
  }

  /** The index of the last packet of a source under this key; -1 before the first. */
  lastIndex(ssrc: number): number {
    const counter = this.#counters.get(ssrc)
    return counter === undefined ? -1 : counter.roc * 0x10000 + counter.last
  }

  /** How often the sequence numbers of a source have rolled over under this key. */
  rollovers(ssrc: number): number {
    return this.#counters.get(ssrc)?.roc ?? 0
  }

  /** Protects a packet without CSRCs and extension; to be called in the order of the sequence numbers. */
  protectRtp(packet: Buffer): Buffer {
    const ssrc = packet.readUInt32BE(8)
    const sequence = packet.readUInt16BE(2)
    const counter = this.#counters.get(ssrc) ?? { roc: 0, last: sequence }
    if (sequence < counter.last) counter.roc++
    counter.last = sequence
    this.#counters.set(ssrc, counter)
    const index = (BigInt(counter.roc) << 16n) | BigInt(sequence)
    const head = packet.subarray(0, 12)
    const text = packet.subarray(12)
    const { gcm, rtpTagBytes } = this.#shape
    if (gcm !== undefined) {
      const cipher = createCipheriv(gcm, this.#rtp.key, gcmIv(this.#rtp, ssrc, index))
      cipher.setAAD(head)
      return Buffer.concat([head, cipher.update(text), cipher.final(), cipher.getAuthTag()])
    }
    const sealed = Buffer.concat([head, counterMode(this.#rtp, ssrc, index, text)])
    return Buffer.concat([sealed, tagOf(this.#rtp, [sealed, uint32(counter.roc)], rtpTagBytes)])
  }

  /** Reads an encrypted packet under this key, in the order of the sequence numbers; undefined when it is not authentic. */
  openRtp(raw: Buffer): Buffer | undefined {
    const { gcm, rtpTagBytes } = this.#shape
    const headBytes = 12 + 4 * ((raw[0] ?? 0) & 15)
    const tagAt = raw.length - rtpTagBytes
    if (tagAt < headBytes) return undefined
    const [ssrc, sequence] = [raw.readUInt32BE(8), raw.readUInt16BE(2)]
    const counter = this.#counters.get(ssrc) ?? { roc: 0, last: sequence }
    const roc = counter.roc + (sequence < counter.last ? 1 : 0)
    const index = (BigInt(roc) << 16n) | BigInt(sequence)
    const [head, text, tag] = [raw.subarray(0, headBytes), raw.subarray(headBytes, tagAt), raw.subarray(tagAt)]
    this.#counters.set(ssrc, { roc, last: sequence })
    if (gcm === undefined) {
      if (!tagOf(this.#rtp, [raw.subarray(0, tagAt), uint32(roc)], rtpTagBytes).equals(tag)) return undefined
      return Buffer.concat([head, counterMode(this.#rtp, ssrc, index, text)])
    }
    const decipher = createDecipheriv(gcm, this.#rtp.key, gcmIv(this.#rtp, ssrc, index), { authTagLength: rtpTagBytes })
    decipher.setAAD(head)
    decipher.setAuthTag(tag)
    const plain = decipher.update(text)
    try {
      return Buffer.concat([head, plain, decipher.final()])
    } catch {
      return undefined
    }
  }

  /** Protects a compound. */
  protectRtcp(compound: Buffer): Buffer {
    const ssrc = compound.readUInt32BE(4)
    const index = ++this.#rtcpIndex
    const trailer = uint32(0x80000000 + index)
    const head = compound.subarray(0, 8)
    const text = compound.subarray(8)
    const { gcm } = this.#shape
    if (gcm !== undefined) {
      const cipher = createCipheriv(gcm, this.#rtcp.key, gcmIv(this.#rtcp, ssrc, BigInt(index)))
      cipher.setAAD(Buffer.concat([head, trailer]))
      return Buffer.concat([head, cipher.update(text), cipher.final(), cipher.getAuthTag(), trailer])
    }
    const sealed = Buffer.concat([head, counterMode(this.#rtcp, ssrc, BigInt(index), text), trailer])
    return Buffer.concat([sealed, tagOf(this.#rtcp, [sealed], RTCP_TAG_BYTES)])
  }

  /** Reads an encrypted compound under this key; undefined when it is not authentic. */
  openRtcp(raw: Buffer): { readonly compound: Buffer; readonly index: number } | undefined {
    const { gcm } = this.#shape
    const behind = gcm === undefined ? RTCP_TAG_BYTES : 0
    const trailerAt = raw.length - behind - 4
    if (trailerAt < 8) return undefined
    const ssrc = raw.readUInt32BE(4)
    const trailer = raw.subarray(trailerAt, trailerAt + 4)
    const index = trailer.readUInt32BE() & 0x7fffffff
    const head = raw.subarray(0, 8)
    if (trailer[0]! < 0x80) return undefined
    if (gcm !== undefined) {
      const tagAt = trailerAt - GCM_TAG_BYTES
      const iv = gcmIv(this.#rtcp, ssrc, BigInt(index))
      const decipher = createDecipheriv(gcm, this.#rtcp.key, iv, { authTagLength: GCM_TAG_BYTES })
      decipher.setAAD(Buffer.concat([head, trailer]))
      decipher.setAuthTag(raw.subarray(tagAt, trailerAt))
      const text = decipher.update(raw.subarray(8, tagAt))
      try {
        return { compound: Buffer.concat([head, text, decipher.final()]), index }
      } catch {
        return undefined
      }
    }
    const sealed = raw.subarray(0, trailerAt + 4)
    if (!tagOf(this.#rtcp, [sealed], RTCP_TAG_BYTES).equals(raw.subarray(trailerAt + 4))) return undefined
    const text = counterMode(this.#rtcp, ssrc, BigInt(index), raw.subarray(8, trailerAt))
    return { compound: Buffer.concat([head, text]), index }
  }
}
