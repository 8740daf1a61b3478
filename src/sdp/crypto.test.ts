import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seededIds } from '#kernel'
import {
  answeredCrypto,
  type CryptoSuite,
  cryptoAttribute,
  cryptosOf,
  isSecureProtocol,
  offeredCryptos,
  pairOfAnswer,
  type SdpCrypto,
} from './crypto.ts'
import type { SdpMedia } from './session-description.ts'

const SUITES: readonly CryptoSuite[] = [
  'AEAD_AES_256_GCM',
  'AEAD_AES_128_GCM',
  'AES_CM_128_HMAC_SHA1_80',
  'AES_CM_128_HMAC_SHA1_32',
]
// The key of RFC 4568 section 6.1.
const KEY = 'd0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj'
const ids = seededIds(7)

function mediaWith(...values: readonly string[]): SdpMedia {
  const attributes = values.map((value) => ({ name: 'crypto', value }))
  return { kind: 'audio', port: 4000, protocol: 'RTP/SAVP', formats: ['0'], bandwidth: [], attributes, other: [] }
}

const answerOf = (...lines: readonly SdpCrypto[]): SdpMedia =>
  mediaWith(...lines.map((line) => cryptoAttribute(line).value ?? ''))

test('SEC-07: the secure profiles are told from the plain ones', () => {
  for (const protocol of ['RTP/SAVP', 'RTP/SAVPF', 'rtp/savp']) assert.ok(isSecureProtocol(protocol))
  for (const protocol of ['RTP/AVP', 'RTP/AVPF', 'UDP/TLS/RTP/SAVP', 'udptl']) assert.ok(!isSecureProtocol(protocol))
})

test('SEC-08: lines of every suite are written and read back', () => {
  fc.assert(
    fc.property(fc.constantFrom(...SUITES), fc.nat(999_999_999), (suite, tag) => {
      const line = { ...offeredCryptos(undefined, [suite], ids)[0]!, tag }
      assert.deepEqual(cryptosOf(answerOf(line)), [line])
    }),
  )
})

test('lifetimes, window hints and extensions that may be ignored are taken', () => {
  const values = [
    `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|2^20`,
    `2 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|1066`,
    `3 AES_CM_128_HMAC_SHA1_80 inline:${KEY} WSH=64`,
    `4  AES_CM_128_HMAC_SHA1_32   inline:${KEY} -X-ours=1`,
  ]
  const lines = cryptosOf(mediaWith(...values))
  assert.deepEqual(
    lines.map(({ tag }) => tag),
    [1, 2, 3, 4],
  )
  assert.equal(Buffer.from(lines[0]!.material).toString('base64'), KEY)
})

for (const [why, value] of [
  ['a master key identifier', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|2^20|1:4`],
  ['a master key identifier without lifetime', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|1:4`],
  ['two keys', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY};inline:${KEY}`],
  ['an unknown suite', `1 F8_128_HMAC_SHA1_80 inline:${KEY}`],
  ['a key of the wrong length', `1 AEAD_AES_256_GCM inline:${KEY}`],
  ['no base64', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY.replace('d', '!')}`],
  ['no inline key', `1 AES_CM_128_HMAC_SHA1_80 uri:${KEY}`],
  ['a lifetime beyond the suite', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|2^49`],
  ['a lifetime of nothing', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|0`],
  ['unencrypted packets', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY} UNENCRYPTED_SRTP`],
  ['unencrypted reports', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY} UNENCRYPTED_SRTCP`],
  ['unauthenticated packets', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY} UNAUTHENTICATED_SRTP`],
  ['a key derivation rate', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY} KDR=10`],
  ['forward error correction', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY} FEC_ORDER=FEC_SRTP`],
  ['an unknown parameter', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY} X=1`],
  ['no number as tag', `one AES_CM_128_HMAC_SHA1_80 inline:${KEY}`],
  ['a tag too long', `1234567890 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`],
  ['nothing', ''],
] as const) {
  test(`a line with ${why} is as good as none, and the next one counts`, () => {
    const good = `9 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`
    assert.deepEqual(
      cryptosOf(mediaWith(value, good)).map(({ tag }) => tag),
      [9],
    )
  })
}

test('reads any text without a throw', () => {
  fc.assert(fc.property(fc.string(), (text) => void cryptosOf(mediaWith(text))))
})

test("SEC-09: an answer has the offerer's tag and suite and a key of its own", () => {
  const offered = offeredCryptos(undefined, SUITES, ids)
  const pair = answeredCrypto(offered, ['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32'], ids)
  assert.deepEqual([pair?.ours.tag, pair?.ours.suite], [3, 'AES_CM_128_HMAC_SHA1_80'])
  assert.notDeepEqual(pair?.ours.material, pair?.theirs.material)
  assert.equal(answeredCrypto(offered, [], ids), undefined)
  const read = pairOfAnswer(offered, answerOf(pair!.ours))
  assert.deepEqual(read, { ok: true, value: { ours: offered[2], theirs: pair!.ours } })
})

test('SEC-09: an answer without line, with two, with another tag or suite, or with our own key is none', () => {
  const offered = offeredCryptos(undefined, SUITES, ids)
  const good = answeredCrypto(offered, SUITES, ids)!.ours
  for (const answer of [
    answerOf(),
    answerOf(good, { ...good, tag: 2 }),
    answerOf({ ...good, tag: 7 }),
    answerOf({ ...good, tag: 2 }),
    answerOf(offered[0]!),
    mediaWith('1 AEAD_AES_256_GCM inline:short'),
  ]) {
    assert.equal(pairOfAnswer(offered, answer).ok, false)
  }
})

test('SEC-11: a re-offer repeats the key in use alone, and an answer keeps it unless suite or address changed', () => {
  const pair = answeredCrypto(offeredCryptos(undefined, SUITES, ids), SUITES, ids)!
  assert.deepEqual(offeredCryptos(pair, SUITES, ids), [pair.ours])
  const [same] = [pair.theirs]
  const stays = answeredCrypto([same], SUITES, ids, { pair, isMoved: false })
  assert.deepEqual(stays?.ours, pair.ours)
  const moved = answeredCrypto([same], SUITES, ids, { pair, isMoved: true })
  assert.notDeepEqual(moved?.ours.material, pair.ours.material)
  const other = offeredCryptos(undefined, ['AES_CM_128_HMAC_SHA1_32'], ids)
  assert.equal(answeredCrypto(other, SUITES, ids, { pair, isMoved: false })?.ours.material.length, 30)
})

test('SEC-10: no key comes twice', () => {
  const keys = new Set<string>()
  for (let i = 0; i < 100; i++) {
    const offered = offeredCryptos(undefined, SUITES, ids)
    const answer = answeredCrypto(offered, SUITES, ids)!
    for (const { material } of [...offered, answer.ours]) keys.add(Buffer.from(material).toString('hex'))
  }
  assert.equal(keys.size, 100 * (SUITES.length + 1))
})
