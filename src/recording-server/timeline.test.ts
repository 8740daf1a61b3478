import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Gap } from '#store'
import { PauseLog } from './pause-log.ts'
import { Timeline } from './timeline.ts'
import type { TimelinePacket } from './timeline-sink.ts'

const SILENCE = 0xff
const TICKS = 160

class Tape {
  readonly gaps: Gap[] = []
  readonly placed: { sequence: number; position: number }[] = []
  #bytes = new Uint8Array(1 << 16)
  #length = 0
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }
  packet({ payload, sequence }: TimelinePacket, position: number, skip: number): void {
    this.placed.push({ sequence, position })
    const bytes = payload.subarray(skip)
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }
  silence(count: number): void {
    this.#reserve(count)
    this.#bytes.fill(SILENCE, this.#length, this.#length + count)
    this.#length += count
  }
  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const larger = new Uint8Array(2 * (this.#length + count))
    larger.set(this.bytes)
    this.#bytes = larger
  }
  readonly bends: number[] = []
  bend({ ppm }: { ppm: number }): void {
    this.bends.push(ppm)
  }
  readonly moves: number[] = []
  move({ byMs }: { byMs: number }): void {
    this.moves.push(byMs)
  }
  gap(fromMs: number, toMs: number, cause: Gap['cause']): void {
    this.gaps.push({ fromMs, toMs, cause })
  }
}

function setUp(): { tape: Tape; pauses: PauseLog; timeline: Timeline } {
  const tape = new Tape()
  const pauses = new PauseLog()
  const opening = { fromMs: 0, cause: 'no-rtp-yet' } as const
  const timeline = new Timeline({ clockRateHz: 8000, startMs: 0, sink: tape, pauses, opening })
  return { tape, pauses, timeline }
}

/** Packet `n` of a stream of 20 ms packets, arriving on time; its payload is its number. */
function packet(n: number, changes: Partial<TimelinePacket> = {}): TimelinePacket {
  const payload = changes.payload ?? new Uint8Array(TICKS).fill(n)
  return {
    payloadType: 0,
    marker: false,
    ticks: payload.length,
    ssrc: 1,
    sequence: 1000 + n,
    timestamp: (0xffff_f000 + n * TICKS) >>> 0,
    arrivalMs: 20 + n * 20,
    payload,
    ...changes,
  }
}

function slot(tape: Tape, n: number): number[] {
  return [...new Set(tape.bytes.slice(n * TICKS, (n + 1) * TICKS))]
}

test('packets in order make a gapless track over a wrap of the timestamp', () => {
  const { tape, timeline } = setUp()
  for (let n = 0; n < 50; n++) timeline.accept(packet(n))
  timeline.finish(1000)
  assert.equal(tape.bytes.length, 50 * TICKS)
  assert.deepEqual(slot(tape, 49), [49])
  assert.deepEqual(tape.gaps, [])
})

test('the first packet is placed by its arrival, the time before is no-rtp-yet', () => {
  const { tape, timeline } = setUp()
  timeline.accept(packet(0, { arrivalMs: 520 }))
  timeline.finish(520)
  assert.equal(tape.bytes.length, 520 * 8)
  assert.deepEqual(tape.gaps, [{ fromMs: 0, toMs: 500, cause: 'no-rtp-yet' }])
})

test('a first packet that was held up does not shift the stream: the others show when it was spoken', () => {
  const { tape, timeline } = setUp()
  timeline.accept(packet(0, { arrivalMs: 580 }))
  for (let n = 1; n < 50; n++) timeline.accept(packet(n, { arrivalMs: 520 + n * 20 + (n < 3 ? 60 - n * 20 : 0) }))
  timeline.finish(1500)
  assert.equal(tape.bytes.length, 1500 * 8)
  assert.deepEqual(tape.gaps, [{ fromMs: 0, toMs: 500, cause: 'no-rtp-yet' }])
  assert.deepEqual(slot(tape, 74), [49])
})

/** The first packet is taken for one of `delayMs` after its time, as all others until then. */
function heldUp(delayMs: number, firstMs: number): Tape {
  const { tape, timeline } = setUp()
  for (let n = 0; n < 200; n++) {
    timeline.accept(packet(n, { arrivalMs: firstMs + Math.max(20 + n * 20, delayMs) }))
    if (n % 5 === 4) timeline.flush()
  }
  timeline.finish(firstMs + 4000)
  return tape
}

test('a stream that began late is moved once, into the silence before it and no further', () => {
  assert.deepEqual(heldUp(0, 1000).moves, [])
  const [moved, ...others] = heldUp(320, 1000).moves
  // Some of it is found before anything is written.
  assert.ok(moved! < -100 && moved! > -300 && others.length === 0, `${moved} and ${others}`)
  assert.deepEqual(
    heldUp(900, 0).moves,
    [],
    'there is no room, and what is late by so much may be delivered from before',
  )
})

test('a recording of less than the time that is looked at is settled at its end', () => {
  const { tape, timeline } = setUp()
  for (let n = 0; n < 40; n++) {
    timeline.accept(packet(n, { arrivalMs: 1000 + Math.max(20 + n * 20, 320 - 2 * n) }))
    timeline.flush()
  }
  timeline.close()
  assert.equal(tape.moves.length, 1)
})

test('what is delivered from before stays as it lies, whatever the silence before it', () => {
  const { tape, timeline } = setUp()
  for (let n = 0; n < 1000; n++) {
    timeline.accept(packet(n, { arrivalMs: 30_000 + Math.max(n * 2.5, n * 20 - 10_000) }))
    if (n % 40 === 0) timeline.flush()
  }
  timeline.finish(60_000)
  assert.deepEqual(tape.moves, [])
})

test('RTP-28: loss is silence at the right place, reordering is put right, duplicates change nothing', () => {
  const { tape, timeline } = setUp()
  for (const n of [0, 1, 3, 2, 3, 6, 7]) timeline.accept(packet(n))
  timeline.finish(160)
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 6, 7].map((n) => slot(tape, n)),
    [[0], [1], [2], [3], [SILENCE], [SILENCE], [6], [7]],
  )
  assert.deepEqual(tape.gaps, [{ fromMs: 80, toMs: 120, cause: 'lost' }])
})

test('a leap of RTP time without missing packets is silence suppression', () => {
  const { tape, timeline } = setUp()
  timeline.accept(packet(0))
  timeline.accept(packet(100, { sequence: 1001 }))
  timeline.finish(2020)
  assert.equal(tape.bytes.length, 101 * TICKS)
  assert.deepEqual(tape.gaps, [{ fromMs: 20, toMs: 2000, cause: 'dtx' }])
})

test('SRS-54: a pause of 5 s lengthens the track by 5 s, whether the clock of the sender ran on or stood still', () => {
  for (const clockRuns of [true, false]) {
    const { tape, pauses, timeline } = setUp()
    for (let n = 0; n < 50; n++) timeline.accept(packet(n))
    pauses.set('paused-by-client', true, 1010)
    pauses.set('paused-by-client', false, 6000)
    for (let n = 300; n < 350; n++) {
      const timestamp = packet(clockRuns ? n : n - 250).timestamp
      timeline.accept(packet(n, { sequence: 1000 + n - 250, timestamp }))
    }
    timeline.finish(7000)
    assert.equal(tape.bytes.length, 56_000)
    assert.deepEqual(
      tape.gaps.map(({ cause }) => cause),
      ['paused-by-client'],
    )
    assert.ok(Math.abs(tape.gaps[0]!.toMs - 6000) <= 20)
    assert.deepEqual([...new Set(tape.bytes.slice(8000, 47_900))], [SILENCE])
    assert.deepEqual(slot(tape, 349), [349 % 256])
  }
})

test('RTP-12: a new SSRC goes on in the same channel, aligned by arrival', () => {
  const { tape, timeline } = setUp()
  for (let n = 0; n < 10; n++) timeline.accept(packet(n))
  for (let n = 0; n < 10; n++) {
    timeline.accept(packet(n, { ssrc: 2, sequence: n, timestamp: 77 + n * TICKS, arrivalMs: 420 + n * 20 }))
  }
  timeline.finish(600)
  assert.equal(tape.bytes.length, 600 * 8)
  assert.deepEqual(tape.gaps, [{ fromMs: 200, toMs: 400, cause: 'ssrc-change' }])
  assert.deepEqual(slot(tape, 20), [0])
})

test('a stall of the network loses nothing: what comes late in a burst is placed by RTP time', () => {
  const { tape, timeline } = setUp()
  for (let n = 0; n < 10; n++) timeline.accept(packet(n))
  timeline.flush()
  for (let n = 10; n < 110; n++) timeline.accept(packet(n, { arrivalMs: 2220 }))
  timeline.finish(2200)
  assert.deepEqual(tape.gaps, [])
  assert.equal(tape.bytes.length, 110 * TICKS)
})

test('a sender whose clock drifts by 300 ppm for 20 minutes loses no packet', () => {
  const { tape, timeline } = setUp()
  for (let n = 0; n < 60_000; n++) {
    timeline.accept(packet(n, { payload: new Uint8Array(1), arrivalMs: 20 + n * 20.006 }))
    if (n % 25 === 0) timeline.flush()
  }
  assert.equal(timeline.late, 0)
  assert.ok(tape.gaps.every(({ cause }) => cause !== 'lost'))
})

test('a packet later than the window is counted and left out', () => {
  const { tape, timeline } = setUp()
  for (let n = 0; n < 100; n++) if (n !== 50) timeline.accept(packet(n))
  timeline.flush()
  assert.equal(timeline.accept(packet(50)), false)
  timeline.finish(2000)
  assert.equal(timeline.late, 1)
  assert.deepEqual(tape.gaps, [
    { fromMs: 1000, toMs: 1020, cause: 'lost' },
    { fromMs: 1000, toMs: 1020, cause: 'late' },
  ])
})

test('an insane timestamp cannot make a file of hours', () => {
  const { tape, timeline } = setUp()
  for (let n = 0; n < 200; n++) timeline.accept(packet(n, { timestamp: (n * 9 * 8000) >>> 0 }))
  timeline.accept(packet(200, { timestamp: 0x7fff_ffff }))
  timeline.finish(4020)
  assert.ok(tape.bytes.length < 8 * 80_000)
})

test('a packet that was overtaken, of a time hours later, is left out: what follows it is where it belongs', () => {
  const { tape, timeline } = setUp()
  for (let n = 0; n < 100; n++) {
    if (n === 50) continue
    timeline.accept(packet(n))
    const hoursLater = (packet(50).timestamp + 5 * 3_600_000 * 8) >>> 0
    if (n === 52) assert.equal(timeline.accept(packet(50, { timestamp: hoursLater })), false)
  }
  timeline.finish(2000)
  assert.equal(timeline.late, 1)
  assert.equal(tape.bytes.length, 100 * TICKS)
  assert.deepEqual(slot(tape, 99), [99])
  assert.deepEqual(tape.gaps, [{ fromMs: 1000, toMs: 1020, cause: 'lost' }])
})

test('after packets stop, the rest is no-rtp up to the end of the recording', () => {
  const { tape, timeline } = setUp()
  timeline.accept(packet(0))
  timeline.finish(3000)
  assert.equal(tape.bytes.length, 24_000)
  assert.deepEqual(tape.gaps, [{ fromMs: 20, toMs: 3000, cause: 'no-rtp' }])
})

/** Packet `n` of a codec whose payload does not tell how long it is. */
function opaque(n: number, changes: Partial<TimelinePacket> = {}): TimelinePacket {
  return packet(n, { payload: new Uint8Array(13), ticks: undefined, ...changes })
}

test('payload of a codec that we do not know has its place and its gaps as any other', () => {
  const { tape, timeline } = setUp()
  for (const n of [0, 1, 3, 2, 6, 7]) timeline.accept(opaque(n))
  // Silence suppression: a packet of 160 ms of silence, as AMR sends them, and speech again.
  timeline.accept(opaque(15, { sequence: 1008 }))
  timeline.accept(opaque(16, { sequence: 1009 }))
  timeline.finish(400)
  assert.deepEqual(
    tape.placed.map(({ position }) => position / TICKS),
    [0, 1, 2, 3, 6, 7, 15, 16],
  )
  assert.deepEqual(tape.gaps, [
    { fromMs: 80, toMs: 120, cause: 'lost' },
    { fromMs: 160, toMs: 300, cause: 'dtx' },
    { fromMs: 340, toMs: 400, cause: 'no-rtp' },
  ])
})

test('packets of one picture share their time, and none of them is left out', () => {
  const { tape, timeline } = setUp()
  for (let n = 0; n < 30; n++) timeline.accept(opaque(n, { timestamp: Math.floor(n / 3) * TICKS }))
  timeline.finish(200)
  assert.deepEqual(
    tape.placed.map(({ sequence }) => sequence - 1000),
    Array.from({ length: 30 }, (_unused, n) => n),
  )
  assert.deepEqual(tape.gaps, [])
})

test('events between audio packets are not loss', () => {
  const { tape, timeline } = setUp()
  timeline.accept(packet(0))
  for (let n = 1; n < 10; n++) timeline.noteQuiet(1000 + n)
  timeline.accept(packet(10))
  timeline.finish(220)
  assert.deepEqual(tape.gaps, [{ fromMs: 20, toMs: 200, cause: 'dtx' }])
})

test('whatever the network loses, doubles and shuffles, each packet kept is in its place and every hole is in the ledger', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ copies: fc.nat(2), delay: fc.nat(3), flush: fc.boolean() }), {
        minLength: 2,
        maxLength: 80,
      }),
      (fates) => {
        const { tape, timeline } = setUp()
        timeline.accept(packet(0))
        const sent = fates.flatMap(({ copies, delay }, i) =>
          Array.from({ length: copies }, () => ({ n: i + 1, at: i + delay })),
        )
        sent.sort((a, b) => a.at - b.at)
        const kept = new Set([0])
        for (const { n, at } of sent) {
          if (timeline.accept(packet(n, { arrivalMs: 40 + at * 20 }))) kept.add(n)
          if (fates[n - 1]!.flush) timeline.flush()
        }
        assert.equal(timeline.late, 0)
        timeline.finish(20 + fates.length * 20)
        for (let n = 0; n <= fates.length; n++)
          assert.deepEqual(slot(tape, n), kept.has(n) ? [n] : [SILENCE], `slot ${n}`)
        const silentMs = tape.gaps.reduce((sum, gap) => sum + gap.toMs - gap.fromMs, 0)
        const lost = Array.from({ length: fates.length }, (_unused, i) => i + 1).filter((n) => !kept.has(n)).length
        assert.ok(Math.abs(silentMs - lost * 20) < 1, `${silentMs} ms of silence for ${lost} packets`)
      },
    ),
  )
})
