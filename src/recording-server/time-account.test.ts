import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { GapCause, StreamManifest } from '#store'
import { TrackBench } from '../../test/harness/track-bench.ts'

const PCMU = { payloadType: 0, encoding: 'PCMU/8000', clockRateHz: 8000 }
const OPUS = { payloadType: 96, encoding: 'OPUS/48000/2', clockRateHz: 48_000 }
const AMR = { payloadType: 97, encoding: 'AMR/8000', clockRateHz: 8000 }

/** What happens to a packet, or to the stream before it. */
const STEPS = [
  'sent',
  'lost',
  'silence',
  'hold',
  'pause',
  'paused-here',
  'ssrc',
  'late-ssrc',
  'restart',
  'leap',
  'stall',
] as const
const step = fc.record({
  kind: fc.oneof({ weight: 12, arbitrary: fc.constant('sent' as const) }, fc.constantFrom(...STEPS)),
  /** Delay of the packet, in packets. */
  delay: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(12)),
  copies: fc.constantFrom(1, 1, 1, 2),
  packets: fc.integer({ min: 1, max: 150 }),
})

for (const codec of [PCMU, OPUS, AMR]) {
  test(`SRS-54: audio and gaps make the duration, whatever happens to a stream of ${codec.encoding}`, async (t) => {
    const ticks = codec.clockRateHz / 50
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 60 }),
        fc.nat(0xffff_ffff),
        async (steps, firstTimestamp) => {
          const bench = new TrackBench(t, [[codec]])
          const arrivals: { atMs: number; act: () => void }[] = []
          let atMs = 40
          let timestamp = firstTimestamp
          let sequence = 0xfff0
          let ssrc = 1
          let heldUntilMs = 0
          for (const { kind, delay, copies, packets } of steps) {
            const silence = packets * 20
            if (kind === 'silence' || kind === 'hold' || kind === 'pause' || kind === 'paused-here') {
              const cause = ({ silence: undefined, pause: 'paused-by-client' } as const)[kind as 'silence'] ?? kind
              if (kind !== 'silence') {
                const from = atMs
                const to = atMs + silence
                const named = (kind === 'pause' ? 'paused-by-client' : cause) as 'hold'
                arrivals.push({ atMs: from, act: () => bench.tracks[0]!.setPaused(named, true, from) })
                arrivals.push({ atMs: to, act: () => bench.tracks[0]!.setPaused(named, false, to) })
              }
              atMs += silence
              timestamp += packets * ticks
            }
            // Nothing arrives for up to 900 ms, and then all of it.
            if (kind === 'stall' || kind === 'late-ssrc') heldUntilMs = atMs + packets * 6
            if (kind === 'ssrc' || kind === 'late-ssrc') {
              ssrc += 1
              sequence = 77
              timestamp += 0x4000_0000
            }
            if (kind === 'restart') {
              sequence += 5000
              timestamp += 0x2000_0000
            }
            if (kind === 'leap') timestamp += packets * 400 * ticks
            const payload = new Uint8Array(codec === PCMU ? ticks : 20)
            if (codec === OPUS) payload[0] = 0xf8
            const packet = { sequence, timestamp, payload, ssrc, payloadType: codec.payloadType }
            sequence += 1
            timestamp += ticks
            atMs += 20
            if (kind === 'lost') continue
            for (let copy = 0; copy < copies; copy++) {
              const arrivalMs = Math.max(heldUntilMs, atMs + (delay + copy) * 20)
              arrivals.push({ atMs: arrivalMs, act: () => bench.accept(0, { ...packet, arrivalMs }) })
            }
          }
          arrivals.sort((a, b) => a.atMs - b.atMs)
          for (const { act } of arrivals) act()
          const durationMs = Math.max(arrivals.at(-1)?.atMs ?? 0, bench.tracks[0]!.endMs) + 15
          const { manifest } = await bench.publish(durationMs)
          assertSums(manifest.streams[0]!, durationMs)
        },
      ),
      { numRuns: 60 },
    )
  })
}

/** Audio and gaps are the duration; gaps neither overlap nor leave it. */
function assertSums({ account, gaps }: StreamManifest, durationMs: number): void {
  const missingMs = Object.values(account!.missingMs).reduce((sum, ms) => sum + ms, 0)
  const tolerance = 0.1 * (gaps.length + 12)
  assert.ok(
    Math.abs(account!.audioMs + missingMs - durationMs) < tolerance,
    `${account!.audioMs} + ${missingMs} of ${durationMs}`,
  )
  const sums = new Map<GapCause, number>()
  let atMs = 0
  for (const { fromMs, toMs, cause } of gaps) {
    assert.ok(fromMs >= atMs && toMs <= durationMs + 0.6, `gap ${fromMs} to ${toMs} after ${atMs}`)
    atMs = toMs
    sums.set(cause, (sums.get(cause) ?? 0) + toMs - fromMs)
  }
  for (const [cause, ms] of sums)
    assert.ok(Math.abs(ms - (account!.missingMs[cause] ?? 0)) < tolerance, `${cause}: ${ms} listed`)
}
