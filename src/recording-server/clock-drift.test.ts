import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { correlate, decodePcmu, encodePcmu, WAV_HEADER_BYTES } from '#audio'
import { seededIds } from '#kernel'
import { type BenchPacket, TrackBench } from '../../test/harness/track-bench.ts'

const PCMU = { payloadType: 0, encoding: 'PCMU/8000', clockRateHz: 8000 }
const HOURS_2_MS = 2 * 3_600_000
const PACKET_MS = 60
const TICKS = PACKET_MS * 8
const SILENCE = new Uint8Array(TICKS).fill(0xff)
/** A sound of its own for each half minute, which lasts two seconds. */
const MARK_EVERY_MS = 30_000
const MARK_MS = 2000

/** What a sender is like. */
interface Sender {
  /** Millionths by which its clock is faster than ours. */
  readonly ppm: number
  readonly jitterMs: number
  readonly lossOf20?: number
  readonly delayMs?: number
}

/** Packets of a sender that says the marks at their times of day, and silence else. */
function* packetsOf(sender: Sender, marks: readonly Uint8Array[], seed: number): Generator<BenchPacket> {
  const ids = seededIds(seed)
  for (let n = 0; ; n++) {
    // The sender cuts sound into packets by its own clock.
    const saidMs = (n * PACKET_MS) / (1 + sender.ppm / 1e6)
    if (saidMs > HOURS_2_MS - PACKET_MS) return
    const inMarkMs = saidMs % MARK_EVERY_MS
    const mark = marks[Math.floor(saidMs / MARK_EVERY_MS)]!
    const from = Math.round(inMarkMs * 8)
    const payload = inMarkMs <= MARK_MS - PACKET_MS ? mark.subarray(from, from + TICKS) : SILENCE
    if (ids.integer(20) < (sender.lossOf20 ?? 0)) continue
    const arrivalMs = saidMs + PACKET_MS + (sender.delayMs ?? 0) + ids.integer(10 * sender.jitterMs + 1) / 10
    yield { sequence: n, timestamp: n * TICKS + 0xfff0_0000, arrivalMs, payload }
  }
}

function marksOf(seed: number): { samples: Int16Array; payload: Uint8Array }[] {
  const ids = seededIds(seed)
  return Array.from({ length: HOURS_2_MS / MARK_EVERY_MS }, () => {
    const samples = Int16Array.from({ length: MARK_MS * 8 }, () => ids.integer(16_000) - 8000)
    return { samples, payload: encodePcmu(samples) }
  })
}

/** Sends two senders' packets in the order of their arrival. */
function talk(bench: TrackBench, senders: readonly Generator<BenchPacket>[]): void {
  const next = senders.map((sender) => sender.next())
  for (;;) {
    let first = -1
    for (const [index, each] of next.entries()) {
      if (each.done !== true && (first < 0 || each.value.arrivalMs < (next[first]!.value as BenchPacket).arrivalMs))
        first = index
    }
    if (first < 0) return
    bench.accept(first, next[first]!.value as BenchPacket)
    next[first] = senders[first]!.next()
  }
}

/** How much later, in milliseconds, the marks of a channel are than they were said. */
function latenessOf(folder: string, channel: number, marks: readonly { samples: Int16Array }[]): number[] {
  const bytes = readFileSync(join(folder, 'recording.wav'))
  const reachMs = 100
  return marks.flatMap(({ samples }, index) => {
    if (index % 12 !== 11 && index !== 2) return []
    const from = index * MARK_EVERY_MS - reachMs
    const heard = new Uint8Array((MARK_MS + 2 * reachMs) * 8)
    for (let i = 0; i < heard.length; i++) heard[i] = bytes[WAV_HEADER_BYTES + 2 * (from * 8 + i) + channel]!
    const reference = new Int16Array(heard.length)
    reference.set(samples, reachMs * 8)
    const { coefficient, lagSamples } = correlate(reference, decodePcmu(heard), reachMs * 8)
    assert.ok(coefficient > 0.4, `mark ${index} is not there: ${coefficient}`)
    return [lagSamples / 8]
  })
}

const SENDERS: readonly Sender[] = [
  { ppm: 50, jitterMs: 5 },
  { ppm: -50, jitterMs: 30, lossOf20: 1 },
]

test(`RTP-12, SRS-54: after two hours the channels are within one packet, with 100 ppm between the clocks, without sender reports`, async (t) => {
  const bench = new TrackBench(t, [[PCMU], [PCMU]])
  const marks = [marksOf(1), marksOf(2)]
  talk(
    bench,
    SENDERS.map((sender, index) =>
      packetsOf(
        sender,
        marks[index]!.map(({ payload }) => payload),
        7 + index,
      ),
    ),
  )
  const { manifest, folder } = await bench.publish(HOURS_2_MS)
  for (const channel of [0, 1]) {
    const { clock, account } = manifest.streams[channel]!
    const late = latenessOf(folder, channel, marks[channel]!)
    assert.ok(
      late.every((ms) => Math.abs(ms) <= 20),
      `channel ${channel}: ${late.join(' ')}`,
    )
    assert.ok(Math.abs(clock!.driftPpm - SENDERS[channel]!.ppm) < 10, `${clock!.driftPpm} ppm measured`)
    const missingMs = Object.values(account!.missingMs).reduce((sum, ms) => sum + ms, 0)
    assert.ok(Math.abs(account!.audioMs + missingMs - manifest.durationMs) <= 20)
  }
  assert.ok(Math.abs(manifest.durationMs - HOURS_2_MS) <= 20)
})
