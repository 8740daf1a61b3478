// The crypto attribute: SRTP keys in a session description (RFC 4568, RFC 7714 section 14.2).

import { err, type Ids, ok, type Result } from '#kernel'
import type { SdpAttribute, SdpMedia } from './session-description.ts'

/** Suites whose keys we can read and write. */
export type CryptoSuite =
  | 'AES_CM_128_HMAC_SHA1_80'
  | 'AES_CM_128_HMAC_SHA1_32'
  | 'AEAD_AES_128_GCM'
  | 'AEAD_AES_256_GCM'

/** One usable `a=crypto` line. */
export interface SdpCrypto {
  /** 0 to 999999999. */
  readonly tag: number
  readonly suite: CryptoSuite
  /** Master key followed by master salt. */
  readonly material: Uint8Array
}

/** The keys of one m-line: what its two sides send under. */
export interface CryptoPair {
  readonly ours: SdpCrypto
  readonly theirs: SdpCrypto
}

const materialBytes: Readonly<Record<CryptoSuite, number>> = {
  AES_CM_128_HMAC_SHA1_80: 30,
  AES_CM_128_HMAC_SHA1_32: 30,
  AEAD_AES_128_GCM: 28,
  AEAD_AES_256_GCM: 44,
}
const inlineMethod = 'inline:'
/** Powers of two; RFC 4568 section 6.2 lets a key serve for this many packets at most. */
const maxLifetimeExponent = 48
const maxLines = 32

/** Whether a transport protocol is SRTP with keys in the description (RFC 3711, RFC 5124). */
export function isSecureProtocol(protocol: string): boolean {
  return ['RTP/SAVP', 'RTP/SAVPF'].includes(protocol.toUpperCase())
}

/**
 * The crypto lines that we can speak, in the order given. A line is left out, as if it were not there, when it asks for what we do not
 * do: another suite, a master key identifier, unencrypted or unauthenticated packets, a key derivation rate, FEC.
 */
export function cryptosOf(media: SdpMedia): SdpCrypto[] {
  const lines = media.attributes.filter(({ name }) => name === 'crypto').slice(0, maxLines)
  return lines.flatMap(({ value }) => readCrypto(value ?? '') ?? [])
}

/** Writes one line. */
export function cryptoAttribute({ tag, suite, material }: SdpCrypto): SdpAttribute {
  return { name: 'crypto', value: `${tag} ${suite} ${inlineMethod}${Buffer.from(material).toString('base64')}` }
}

/** Lines for our offer: the key in use goes on alone, at first there is a fresh key for each suite (RFC 4568 section 5.1.1). */
export function offeredCryptos(current: CryptoPair | undefined, suites: readonly CryptoSuite[], ids: Ids): SdpCrypto[] {
  if (current !== undefined) return [current.ours]
  return suites.map((suite, index) => ({ tag: index + 1, suite, material: newMaterial(suite, ids) }))
}

/**
 * Our answer to offered lines: the first that is among `suites`, its tag, a key of our own. The key in use stays if the suite does and
 * `isMoved` does not say that the offerer's address is another (RFC 4568 sections 5.1.2 and 7.1.4).
 */
export function answeredCrypto(
  offered: readonly SdpCrypto[],
  suites: readonly CryptoSuite[],
  ids: Ids,
  current?: { readonly pair: CryptoPair | undefined; readonly isMoved: boolean },
): CryptoPair | undefined {
  const theirs = offered.find(({ suite }) => suites.includes(suite))
  if (theirs === undefined) return undefined
  const { tag, suite } = theirs
  const stays = current?.pair !== undefined && !current.isMoved && current.pair.ours.suite === suite
  const material = stays ? current.pair!.ours.material : newMaterial(suite, ids)
  return { ours: { tag, suite, material }, theirs }
}

/** Reads the answer to our lines: exactly one, with tag and suite of ours and a key of its own (RFC 4568 section 5.1.3). */
export function pairOfAnswer(offered: readonly SdpCrypto[], media: SdpMedia): Result<CryptoPair, string> {
  const count = media.attributes.filter(({ name }) => name === 'crypto').length
  if (count !== 1) return err(`the answer has ${count} crypto lines`)
  const [theirs] = cryptosOf(media)
  if (theirs === undefined) return err('the crypto line of the answer is not usable')
  const ours = offered.find(({ tag }) => tag === theirs.tag)
  if (ours === undefined || ours.suite !== theirs.suite)
    return err('the crypto line of the answer is none that was offered')
  if (Buffer.compare(ours.material, theirs.material) === 0) return err('the crypto line of the answer repeats our key')
  return ok({ ours, theirs })
}

function newMaterial(suite: CryptoSuite, ids: Ids): Uint8Array {
  return new Uint8Array(Buffer.from(ids.hex(materialBytes[suite]), 'hex'))
}

/** Reads the value of one line; undefined if we cannot speak it. */
export function readCrypto(value: string): SdpCrypto | undefined {
  const [tagText = '', suiteText = '', keys = '', ...params] = value.split(' ').filter((word) => word !== '')
  const suite = suiteNamed(suiteText)
  if (!/^\d{1,9}$/.test(tagText) || suite === undefined || !params.every(isHarmless)) return undefined
  const material = materialOf(keys)
  return material?.length === materialBytes[suite] ? { tag: Number(tagText), suite, material } : undefined
}

function suiteNamed(text: string): CryptoSuite | undefined {
  const name = text.toUpperCase()
  return (Object.keys(materialBytes) as CryptoSuite[]).find((suite) => suite === name)
}

/** Several keys, or one with an identifier, would have to be told apart by what stands in the packets. */
function materialOf(keys: string): Uint8Array | undefined {
  if (!keys.toLowerCase().startsWith(inlineMethod) || keys.includes(';')) return undefined
  const [text = '', ...more] = keys.slice(inlineMethod.length).split('|')
  const isPlain = more.length === 0 || (more.length === 1 && isLifetime(more[0]!))
  return isPlain && /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? new Uint8Array(Buffer.from(text, 'base64')) : undefined
}

/** A key that serves for fewer packets than that is not replaced by us in time, but no call sends so many. */
function isLifetime(text: string): boolean {
  const power = /^2\^([1-9]\d?)$/.exec(text)
  if (power !== null) return Number(power[1]) <= maxLifetimeExponent
  return /^[1-9]\d{0,14}$/.test(text) && Number(text) <= 2 ** maxLifetimeExponent
}

/** A window size hint, and extensions that may be ignored (RFC 4568 sections 6.3.6 and 6.3.7). */
function isHarmless(param: string): boolean {
  return param.startsWith('-') || /^WSH=\d{1,9}$/i.test(param)
}
