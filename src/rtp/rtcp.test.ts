import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import {
  buildBye,
  buildReceiverReport,
  buildSdes,
  buildSenderReport,
  compoundRtcp,
  parseRtcp,
  type ReportBlock,
} from './rtcp.ts'
import { ntpFromWallMs, rtcpIntervalMs, wallMsFromNtp } from './rtcp-timing.ts'

const block: ReportBlock = {
  ssrc: 0xdeadbeef,
  fractionLost: 200,
  cumulativeLost: -3,
  highestSequence: 0x10002,
  jitter: 17,
  lastSenderReport: 0xffff0000,
  delaySinceLastSenderReport: 65536,
}

test('writes a sender report as RFC 3550 section 6.4.1 draws it', () => {
  const bytes = buildSenderReport({
    ...{ ssrc: 1, ntpSeconds: 2, ntpFraction: 3, rtpTimestamp: 4, packetCount: 5, octetCount: 6 },
    reports: [],
  })
  const words = [0x80c80006, 1, 2, 3, 4, 5, 6]
  assert.deepEqual(
    [...bytes],
    words.flatMap((word) => [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255]),
  )
})

test('RTP-16: a compound of SR, SDES and BYE is read back whole', () => {
  const report = {
    ...{ ssrc: 0xfffffffe, ntpSeconds: 0xe0000000, ntpFraction: 9, rtpTimestamp: 0xffffffff },
    ...{ packetCount: 10, octetCount: 1600, reports: [block, { ...block, ssrc: 2 }] },
  }
  const bytes = compoundRtcp([buildSenderReport(report), buildSdes({ ssrc: 7, cname: 'abc' }), buildBye(7)])
  assert.equal(bytes.length % 4, 0)
  assert.deepEqual(parseRtcp(bytes), [
    { type: 'sender-report', ...report },
    { type: 'sdes', chunks: [{ ssrc: 7, cname: 'abc' }] },
    { type: 'bye', ssrcs: [7] },
  ])
})

test('a CNAME of any length is padded to a word and ends with a zero byte', () => {
  fc.assert(
    fc.property(fc.nat(0xffffffff), fc.string({ maxLength: 60, unit: 'grapheme-ascii' }), (ssrc, cname) => {
      const bytes = buildSdes({ ssrc, cname })
      assert.equal(bytes.length % 4, 0)
      assert.equal(bytes.at(-1), 0)
      assert.deepEqual(parseRtcp(bytes), [{ type: 'sdes', chunks: [{ ssrc, cname }] }])
    }),
  )
})

test('stops at a malformed packet and keeps what came before', () => {
  const good = buildReceiverReport(5, [block])
  const truncated = compoundRtcp([good, buildSdes({ ssrc: 5, cname: 'name' })]).subarray(0, good.length + 6)
  assert.deepEqual(parseRtcp(truncated), [{ type: 'receiver-report', ssrc: 5, reports: [block] }])
  assert.deepEqual(parseRtcp(Uint8Array.of(0x81, 201, 0, 1, 0, 0, 0, 5)), [])
})

test('no datagram makes the reader throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.integer({ min: 200, max: 207 }), (bytes, packetType) => {
      if (bytes.length >= 4) bytes.set([0x80 | (bytes[0]! & 0x3f), packetType, 0, bytes[3]! & 31])
      parseRtcp(bytes)
    }),
  )
})

test('RTP-16: the interval stays within half and one and a half of 5 s, compensated', () => {
  assert.ok(Math.abs(rtcpIntervalMs(0) - 2052) < 1)
  assert.ok(Math.abs(rtcpIntervalMs(1) - 6156) < 1)
  assert.equal(rtcpIntervalMs(0.5, true), rtcpIntervalMs(0.5) / 2)
})

test('NTP time counts from 1900 and wraps into the era of 2036', () => {
  assert.deepEqual(ntpFromWallMs(500), { seconds: 2_208_988_800, fraction: 2 ** 31 })
  assert.deepEqual(ntpFromWallMs(Date.UTC(2036, 1, 7, 6, 28, 16)), { seconds: 0, fraction: 0 })
  for (const wallMs of [500, Date.UTC(2026, 10, 30) + 0.25, Date.UTC(2036, 1, 7, 6, 28, 16), Date.UTC(2040, 0, 1)]) {
    const { seconds, fraction } = ntpFromWallMs(wallMs)
    assert.ok(Math.abs(wallMsFromNtp(seconds, fraction) - wallMs) < 0.001, `${wallMs}`)
  }
})
