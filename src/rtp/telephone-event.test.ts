import assert from 'node:assert/strict'
import test from 'node:test'
import { type TelephoneEvent, TelephoneEventDetector } from './telephone-event.ts'

/** Code, end bit, duration in ticks and timestamp of one packet. */
type EventPacket = readonly [code: number, isEnd: boolean, duration: number, timestamp: number]

function feed(detector: TelephoneEventDetector, packets: readonly EventPacket[]): TelephoneEvent[] {
  return packets.flatMap(([code, isEnd, duration, timestamp]) => {
    const payload = Uint8Array.of(code, (isEnd ? 0x80 : 0) | 10, duration >>> 8, duration & 0xff)
    const header = { payloadType: 101, marker: false, sequence: 0, timestamp, ssrc: 1 }
    return detector.onPacket(header, payload) ?? []
  })
}

test('SIP-25: a key is reported once, at its first end packet', () => {
  const events = feed(new TelephoneEventDetector(), [
    [5, false, 160, 1000],
    [5, false, 320, 1000],
    [5, true, 800, 1000],
    [5, true, 800, 1000],
    [5, true, 800, 1000],
  ])
  assert.deepEqual(events, [{ digit: '5', durationMs: 100 }])
})

test('SIP-25: the same key twice is two digits, even when the first end is lost', () => {
  const events = feed(new TelephoneEventDetector(), [
    [11, false, 640, 1000],
    [11, true, 800, 5000],
    [11, true, 800, 5000],
  ])
  assert.deepEqual(events, [
    { digit: '#', durationMs: 80 },
    { digit: '#', durationMs: 100 },
  ])
})

test('an end packet alone is enough, and a late packet of an earlier event is ignored', () => {
  const events = feed(new TelephoneEventDetector(), [
    [10, true, 800, 5000],
    [9, true, 800, 1000],
  ])
  assert.deepEqual(events, [{ digit: '*', durationMs: 100 }])
})

test('an event longer than 65535 ticks comes in segments and is one digit (RFC 4733 section 2.5.1.3)', () => {
  const events = feed(new TelephoneEventDetector(), [
    [1, false, 0xffff, 1000],
    [1, false, 160, 1000 + 0xffff],
    [1, true, 465, 1000 + 0xffff],
  ])
  assert.deepEqual(events, [{ digit: '1', durationMs: 8250 }])
})

test('audio well past an event whose end packets were lost ends it', () => {
  const detector = new TelephoneEventDetector()
  feed(detector, [[0, false, 400, 1000]])
  assert.equal(detector.onOtherPacket(1560), undefined)
  assert.deepEqual(detector.onOtherPacket(3200), { digit: '0', durationMs: 50 })
  assert.equal(detector.onOtherPacket(3360), undefined)
})

test('flash, unknown events and short payloads are no digits', () => {
  const detector = new TelephoneEventDetector()
  assert.deepEqual(feed(detector, [[16, true, 800, 0]]), [])
  const header = { payloadType: 101, marker: true, sequence: 0, timestamp: 0, ssrc: 1 }
  assert.equal(detector.onPacket(header, Uint8Array.of(1, 0x80, 1)), undefined)
})
