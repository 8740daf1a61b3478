import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import type { RtpHeader } from '#rtp'
import { payloadOf } from './codec.ts'
import { type MediaPacket, newMediaPacket } from './media-packet.ts'
import { OutgoingStream } from './outgoing-stream.ts'

const IDENTITY = { ssrc: 77, firstSequence: 65530, firstTimestamp: 0xffffff00, cname: 'x' }
const FRAME = 160

function packet(sourceId: number, sequence: number, timestamp: number, more: Partial<MediaPacket> = {}): MediaPacket {
  return { ...newMediaPacket(), sourceId, extendedSequence: sequence, timestamp, payloadLength: 160, ...more }
}

function stamp(stream: OutgoingStream, input: MediaPacket, nowMs: number): RtpHeader {
  const header = stream.stamp(input, 0, nowMs)
  assert.ok(header !== undefined)
  return { ...header }
}

/** Ticks and numbers from one header to the next. */
function step(a: RtpHeader, b: RtpHeader): { sequence: number; ticks: number } {
  return { sequence: (b.sequence - a.sequence) & 0xffff, ticks: (b.timestamp - a.timestamp) | 0 }
}

test('RTP-07: begins at its own random numbers and keeps the source order, holes included', () => {
  const stream = new OutgoingStream(IDENTITY, 1)
  const first = stamp(stream, packet(9, 100, 5000), 0)
  assert.deepEqual(first, { payloadType: 0, marker: true, sequence: 65530, timestamp: 0xffffff00, ssrc: 77 })
  const afterLoss = stamp(stream, packet(9, 103, 5000 + 3 * FRAME), 60)
  assert.deepEqual(step(first, afterLoss), { sequence: 3, ticks: 480 })
  assert.equal(afterLoss.marker, false)
  assert.deepEqual(step(first, stamp(stream, packet(9, 102, 5000 + 2 * FRAME), 61)), { sequence: 2, ticks: 320 })
})

test('RTP-11: a new source continues the sequence, and the clock by wall time within 20 ms', () => {
  const stream = new OutgoingStream(IDENTITY, 1)
  const before = stamp(stream, packet(1, 7, 0), 1000)
  const after = stamp(stream, packet(2, 40000, 0x80000000), 4210)
  assert.deepEqual(step(before, after), { sequence: 1, ticks: 3210 * 8 })
  assert.equal(after.marker, true)
  const atOnce = stamp(stream, packet(3, 0, 0), 4211)
  assert.deepEqual(step(after, atOnce), { sequence: 1, ticks: FRAME }, 'time never stands still')
})

test('RTP-11, field 21: after a cut the source clock goes on and the sequence has no hole', () => {
  const stream = new OutgoingStream(IDENTITY, 1)
  const before = stamp(stream, packet(1, 10, 0), 0)
  stream.cut()
  const after = stamp(stream, packet(1, 111, 101 * FRAME), 2023)
  assert.deepEqual(step(before, after), { sequence: 1, ticks: 101 * FRAME })
  assert.equal(stream.stamp(packet(1, 110, 100 * FRAME), 0, 2024), undefined, 'a late packet of the pause is not sent')
})

test('a packet that is late over a cut is no reason to open the stream with it', () => {
  const stream = new OutgoingStream(IDENTITY, 1)
  stamp(stream, packet(1, 10, 1600), 0)
  stamp(stream, packet(1, 12, 1920), 40)
  stream.cut()
  assert.equal(stream.stamp(packet(1, 11, 1760), 0, 50), undefined)
})

test('RTP-11: a source whose clock stood still is put back on wall time', () => {
  const stream = new OutgoingStream(IDENTITY, 1)
  let last = stamp(stream, packet(1, 0, 0), 0)
  for (let i = 1; i <= 50; i++) last = stamp(stream, packet(1, i, i * FRAME), i * 20)
  const resumed = stamp(stream, packet(1, 51, 51 * FRAME), 1000 + 3000)
  assert.deepEqual(step(last, resumed), { sequence: 1, ticks: 3000 * 8 })
})

for (const stallMs of [600, 1000, 1900]) {
  test(`RTP-11: a network that holds everything up for ${stallMs} ms and delivers it at once shifts nothing`, () => {
    const stream = new OutgoingStream(IDENTITY, 1)
    const first = stamp(stream, packet(1, 0, 0), 0)
    let last = first
    for (let i = 1; i <= 500; i++) {
      const sentMs = i * 20
      const isHeldUp = sentMs > 4000 && sentMs < 4000 + stallMs
      const header = stamp(stream, packet(1, i, i * FRAME), isHeldUp ? 4000 + stallMs : sentMs)
      assert.deepEqual(step(last, header), { sequence: 1, ticks: FRAME }, `packet ${i}`)
      assert.equal(header.marker, false)
      last = header
    }
  })

  test(`RTP-11: a source whose clock stood still for ${stallMs} ms is back on wall time 300 ms later`, () => {
    const stream = new OutgoingStream(IDENTITY, 1)
    const first = stamp(stream, packet(1, 0, 0), 0)
    let last = first
    for (let i = 1; i <= 300; i++) {
      last = stamp(stream, packet(1, i, i * FRAME), i * 20 + (i > 100 ? stallMs : 0))
      const behindMs = i * 20 + (i > 100 ? stallMs : 0) - step(first, last).ticks / 8
      if (i > 117) assert.ok(Math.abs(behindMs) <= 20, `${behindMs} ms behind at packet ${i}`)
    }
  })
}

test('jitter and a clock that drifts slowly are left alone', () => {
  const stream = new OutgoingStream(IDENTITY, 1)
  const first = stamp(stream, packet(1, 0, 0), 0)
  let last = first
  const frames = 3 * 3600 * 50
  for (let i = 1; i <= frames; i++) last = stamp(stream, packet(1, i, i * FRAME), i * 20 * 1.0002 + (i % 7) * 25)
  assert.equal(step(first, last).ticks, (frames * FRAME) | 0)
})

test('RTP-21: the packets of an event keep one timestamp, however long it lasts', () => {
  const stream = new OutgoingStream(IDENTITY, 1)
  const event = { payload: payloadOf('TELEPHONE-EVENT/8000') }
  const audio = stamp(stream, packet(1, 0, 0), 0)
  const start = stamp(stream, packet(1, 1, FRAME, event), 20)
  assert.equal(start.marker, false)
  for (let i = 2; i < 100; i++) {
    assert.equal(stamp(stream, packet(1, i, FRAME, event), i * 20).timestamp, start.timestamp)
  }
  assert.deepEqual(step(audio, stamp(stream, packet(1, 100, 100 * FRAME), 2000)), { sequence: 100, ticks: 16000 })
})

test('a change of clock rate re-ties the clock (RFC 7160)', () => {
  const stream = new OutgoingStream(IDENTITY, 1)
  const narrow = stamp(stream, packet(1, 0, 0), 0)
  const wide = stamp(stream, packet(1, 1, 12345, { payload: payloadOf('OPUS/48000/2') }), 100)
  assert.deepEqual(step(narrow, wide), { sequence: 1, ticks: 4800 })
})

test('sender reports extrapolate the clock to their moment', () => {
  const stream = new OutgoingStream(IDENTITY, 1)
  assert.equal(stream.timestampAt(5), IDENTITY.firstTimestamp)
  const header = stamp(stream, packet(1, 0, 0), 100)
  assert.equal(stream.timestampAt(350), (header.timestamp + 2000) >>> 0)
})

test('RTP-11: whatever the sources do, numbers are never used twice and time never runs backwards', () => {
  const action = fc.record({
    sourceId: fc.integer({ min: 1, max: 3 }),
    waitMs: fc.integer({ min: 0, max: 3000 }),
    jump: fc.integer({ min: 1, max: 5 }),
    isHeld: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const stream = new OutgoingStream(IDENTITY, 1)
      const sequences = [0, 100, 60000, 65500]
      let nowMs = 0
      let extended = -1
      let timestamp: number | undefined
      for (const { sourceId, waitMs, jump, isHeld } of actions) {
        nowMs += waitMs
        sequences[sourceId] = sequences[sourceId]! + jump
        if (isHeld) {
          stream.cut()
          continue
        }
        const header = stamp(stream, packet(sourceId, sequences[sourceId]!, Math.round(nowMs * 8)), nowMs)
        assert.ok(stream.extendedSequence > extended)
        if (timestamp !== undefined) assert.ok(((header.timestamp - timestamp) | 0) >= 0)
        extended = stream.extendedSequence
        timestamp = header.timestamp
      }
    }),
  )
})
