// Two hours of two senders whose clocks drift apart, on a simulated clock: where the recording puts what each of them said.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { correlate, decodePcmu, encodePcmu, WAV_HEADER_BYTES } from '#audio'
import { seededIds } from '#kernel'
import type { Manifest } from '#store'
import { type BenchPacket, type Cleanup, TrackBench } from './track-bench.ts'

const PCMU = { payloadType: 0, encoding: 'PCMU/8000', clockRateHz: 8000 }
/** How long they talk. */
export const DRIFT_MS = 2 * 3_600_000
const PACKET_MS = 60
const TICKS = PACKET_MS * 8
const SILENCE = new Uint8Array(TICKS).fill(0xff)
/** A sound of its own for each half minute, which lasts two seconds. */
const MARK_EVERY_MS = 30_000
const MARK_MS = 2000

/** What a sender is like. */
export interface DriftSender {
  /** Millionths by which its clock is faster than ours. */
  readonly ppm: number
  readonly jitterMs: number
  readonly lossOf20?: number
  readonly delayMs?: number
}

/** Packets of a sender that says the marks at their times of day, and silence else. */
function* packetsOf(sender: DriftSender, marks: readonly Uint8Array[], seed: number): Generator<BenchPacket> {
  const ids = seededIds(seed)
  for (let n = 0; ; n++) {
    // The sender cuts sound into packets by its own clock.
    const saidMs = (n * PACKET_MS) / (1 + sender.ppm / 1e6)
    if (saidMs > DRIFT_MS - PACKET_MS) return
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
  return Array.from({ length: DRIFT_MS / MARK_EVERY_MS }, () => {
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
    if (coefficient <= 0.4) throw new Error(`mark ${index} is not there: ${coefficient}`)
    return [lagSamples / 8]
  })
}

/** Two whose clocks are 100 ppm apart. */
export const driftSenders: readonly DriftSender[] = [
  { ppm: 50, jitterMs: 5 },
  { ppm: -50, jitterMs: 30, lossOf20: 1 },
]

/** What came of two hours. */
export interface DriftResult {
  readonly manifest: Manifest
  /** By channel: how much later than it was said each mark lies that was looked for, in milliseconds. */
  readonly lateMs: readonly (readonly number[])[]
}

/** Records two hours of them, without sender reports, and looks for what they said. Throws where a mark is not found. */
export async function recordDrift(cleanup: Cleanup): Promise<DriftResult> {
  const bench = new TrackBench(cleanup, [[PCMU], [PCMU]])
  const marks = [marksOf(1), marksOf(2)]
  const payloads = marks.map((all) => all.map(({ payload }) => payload))
  talk(
    bench,
    driftSenders.map((sender, index) => packetsOf(sender, payloads[index]!, 7 + index)),
  )
  const { manifest, folder } = await bench.publish(DRIFT_MS)
  return { manifest, lateMs: marks.map((all, channel) => latenessOf(folder, channel, all)) }
}
