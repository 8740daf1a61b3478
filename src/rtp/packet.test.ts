import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { isRtcp, newRtpView, parseRtp, writeRtpHeader } from './packet.ts'

const header = { payloadType: 8, marker: true, sequence: 0xfedc, timestamp: 0xfedcba98, ssrc: 0x89abcdef }

test('reads a plain packet', () => {
  const view = newRtpView()
  const bytes = Uint8Array.of(0x80, 0x88, 0xfe, 0xdc, 0xfe, 0xdc, 0xba, 0x98, 0x89, 0xab, 0xcd, 0xef, 1, 2, 3)
  assert.equal(parseRtp(bytes, view), true)
  assert.deepEqual(view, { ...header, csrcCount: 0, payloadOffset: 12, payloadLength: 3 })
})

test('skips CSRC list and header extension and takes off padding (RFC 3550 section 5.1, 5.3.1)', () => {
  const view = newRtpView()
  const bytes = Uint8Array.of(
    ...[0xb1, 0x00, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3],
    ...[0, 0, 0, 9],
    ...[0xbe, 0xde, 0, 1, 1, 1, 1, 1],
    ...[7, 7, 0, 2],
  )
  assert.equal(parseRtp(bytes, view), true)
  assert.equal(view.csrcCount, 1)
  assert.equal(view.payloadOffset, 24)
  assert.equal(view.payloadLength, 2)
})

test('refuses other versions, RTCP, and lengths that point outside', () => {
  const view = newRtpView()
  const good = new Uint8Array(14)
  writeRtpHeader(good, 0, header)
  assert.equal(parseRtp(good, view), true)
  const variants: [number, number][] = [
    [0, 0x40],
    [0, 0x8f],
    [0, 0x90],
    [0, 0xa0],
    [1, 200],
  ]
  for (const [index, value] of variants) {
    const bad = Uint8Array.from(good)
    bad[index] = value
    if (value === 0x90) bad[13] = 0xff
    assert.equal(parseRtp(bad, view), false, `byte ${index} = ${value}`)
  }
  assert.equal(parseRtp(good.subarray(0, 11), view), false)
})

test('what is written is read back', () => {
  const view = newRtpView()
  fc.assert(
    fc.property(
      // 72 to 95 with the marker would be RTCP (RFC 5761 section 4).
      fc.integer({ min: 0, max: 63 }),
      fc.boolean(),
      fc.nat(0xffff),
      fc.nat(0xffffffff),
      fc.nat(0xffffffff),
      fc.uint8Array({ maxLength: 200 }),
      (payloadType, marker, sequence, timestamp, ssrc, payload) => {
        const bytes = new Uint8Array(12 + payload.length)
        writeRtpHeader(bytes, 0, { payloadType, marker, sequence, timestamp, ssrc })
        bytes.set(payload, 12)
        assert.equal(parseRtp(bytes, view), true)
        assert.deepEqual(
          { ...view },
          {
            ...{ payloadType, marker, sequence, timestamp, ssrc },
            ...{ csrcCount: 0, payloadOffset: 12, payloadLength: payload.length },
          },
        )
      },
    ),
  )
})

test('no datagram makes the parser throw or point outside', () => {
  const view = newRtpView()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      if (bytes.length > 0) bytes[0] = 0x80 | (bytes[0]! & 0x3f)
      isRtcp(bytes)
      if (parseRtp(bytes, view)) assert.ok(view.payloadOffset + view.payloadLength <= bytes.length)
    }),
  )
})
