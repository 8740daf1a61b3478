import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Gap } from '#store'
import { PacketLine, type PacketLineOptions } from './packet-line.ts'
import { PauseLog } from './pause-log.ts'
import type { TimelinePacket } from './timeline-sink.ts'

const CLOCK_HZ = 90_000
const TICKS_PER_MS = CLOCK_HZ / 1000

class LineBench {
  readonly pauses = new PauseLog()
  readonly gaps: Gap[] = []
  readonly kept: { readonly sequence: number; readonly atMs: number }[] = []
  readonly line: PacketLine

  constructor(options: Partial<PacketLineOptions> = {}) {
    const { startMs = 0 } = options
    this.line = new PacketLine({
      clockRateHz: CLOCK_HZ,
      startMs,
      pauses: this.pauses,
      opening: { fromMs: 0, cause: 'no-rtp-yet' },
      isDelivered: false,
      sink: {
        packet: ({ sequence }, position) => void this.kept.push({ sequence, atMs: startMs + position / TICKS_PER_MS }),
        gap: (fromMs, toMs, cause) => void this.gaps.push({ fromMs, toMs, cause }),
      },
      ...options,
    })
  }

  /** A packet of a picture that was made at `madeMs`, by the clock of its sender. */
  packet(sequence: number, arrivalMs: number, madeMs = arrivalMs, ssrc = 1): void {
    const timestamp = Math.round(madeMs * TICKS_PER_MS) >>> 0
    const about = { ssrc, sequence, timestamp, arrivalMs, payloadType: 97, marker: false }
    this.line.accept({ ...about, payload: new Uint8Array(1), ticks: undefined } satisfies TimelinePacket)
  }

  get accountedMs(): number {
    return this.line.audioMs + this.gaps.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)
  }
}

test('pictures of several packets, and those that are sent before an earlier one is shown, are kept in the order in which they came', () => {
  const bench = new LineBench()
  bench.packet(1, 500, 0)
  bench.packet(2, 501, 0)
  bench.packet(3, 540, 80)
  bench.packet(4, 580, 40)
  bench.line.finish(600)
  assert.deepEqual(
    bench.kept.map(({ sequence, atMs }) => [sequence, atMs]),
    [
      [1, 500],
      [2, 500],
      [3, 580],
      [4, 540],
    ],
  )
  assert.deepEqual(bench.gaps, [{ fromMs: 0, toMs: 500, cause: 'no-rtp-yet' }])
  assert.equal(bench.accountedMs, 600)
})

test('packets that do not come are lost, one that is overtaken is not, and all is told in order', () => {
  const bench = new LineBench({ opening: { fromMs: 0, cause: 'dtx' } })
  bench.packet(1, 0)
  bench.packet(3, 40)
  bench.packet(2, 50)
  bench.packet(6, 120)
  bench.line.flush()
  assert.deepEqual(bench.gaps, [], 'it may still come')
  bench.packet(7, 130)
  bench.packet(8, 700)
  bench.line.flush()
  assert.deepEqual(bench.gaps, [{ fromMs: 40, toMs: 120, cause: 'lost' }])
  bench.line.finish(710)
  assert.equal(bench.accountedMs, 710)
})

test('what was not kept is not lost, whichever came first', () => {
  const bench = new LineBench({ opening: { fromMs: 0, cause: 'dtx' } })
  bench.packet(1, 0)
  bench.line.noteQuiet(2)
  bench.line.noteQuiet(4)
  bench.packet(5, 60)
  bench.line.noteQuiet(3)
  bench.line.finish(2000)
  assert.deepEqual(bench.gaps, [{ fromMs: 60, toMs: 2000, cause: 'no-rtp' }])
  assert.equal(bench.accountedMs, 2000)
})

test('only long stretches without a packet are gaps, and pauses have their own cause', () => {
  const bench = new LineBench()
  bench.packet(1, 100)
  bench.packet(2, 1000)
  bench.packet(3, 4000)
  bench.pauses.set('paused-by-client', true, 4020)
  bench.pauses.set('paused-by-client', false, 5000)
  bench.packet(4, 5030)
  bench.packet(1, 5060, 0, 2)
  bench.line.finish(5100)
  assert.deepEqual(bench.gaps, [
    { fromMs: 0, toMs: 100, cause: 'no-rtp-yet' },
    { fromMs: 1000, toMs: 4000, cause: 'dtx' },
    { fromMs: 4000, toMs: 5030, cause: 'paused-by-client' },
  ])
  assert.equal(bench.accountedMs, 5100)
})

test('a clock that leaps or stands still costs the place by RTP time, and no packet', () => {
  const bench = new LineBench({ startMs: 100 })
  bench.packet(1, 200, 0)
  bench.packet(2, 240, 3_600_000)
  bench.packet(3, 280, 3_600_040)
  bench.packet(4, 5000, 3_600_080)
  bench.packet(5, 5040, 77, 2)
  assert.deepEqual(
    bench.kept.map(({ atMs }) => atMs),
    [200, 240, 280, 5000, 5040],
  )
  assert.deepEqual(bench.line.anchor(), {
    positionMs: 5040,
    arrivalMs: 5040,
    ssrc: 2,
    sequence: 5,
    timestamp: 77 * TICKS_PER_MS,
  })
})

test('what is delivered faster than it was made lies where its own clock says', () => {
  const bench = new LineBench({ isDelivered: true })
  for (let frame = 0; frame < 100; frame++) bench.packet(frame, frame, 40 * frame)
  assert.equal(bench.line.endMs, 3960)
  assert.equal(bench.kept.at(-1)?.atMs, 3960)
})
