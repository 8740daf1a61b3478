import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { correlate, encodePcmu, readWav } from '#audio'
import { seededIds } from '#kernel'
import { RunTime, readRawRun, type StreamManifest } from '#store'
import { type BenchPacket, TrackBench } from '../../test/harness/track-bench.ts'

const PCMU = { payloadType: 0, encoding: 'PCMU/8000', clockRateHz: 8000 }
const OPUS = { payloadType: 96, encoding: 'OPUS/48000/2', clockRateHz: 48_000 }
/** First byte of an Opus packet of one CELT frame of 20 ms. */
const CELT_20_MS = 0xf8
/** As often as the recorder writes. */
const FLUSH_MS = 100
const PACKET_MS = 20
const TICKS = 160
const SECONDS = 8
/** When the talk begins, after the recording did. */
const BEGIN_MS = 1500
const DURATION_MS = BEGIN_MS + SECONDS * 1000 + 60
const WORD_MS = 500

/** By how much later packets come than the fastest, in milliseconds, by their number since the source began. */
type Delay = (n: number) => number

/** What both sides say at the same time: where it lies in their channels tells how they are aligned. */
const NOISE = ((ids) => Int16Array.from({ length: SECONDS * 8000 }, () => ids.integer(16_000) - 8000))(seededIds(3))
const VOICE = encodePcmu(NOISE)

/** What a side sends, as it arrives; its SSRC may change on the way, with silence before. */
function sent(delay: Delay, change?: { readonly at: number; readonly silentFor: number }): BenchPacket[] {
  const all = Array.from({ length: (SECONDS * 1000) / PACKET_MS }, (_unused, n): BenchPacket => {
    const isOther = change !== undefined && n >= change.at
    const number = isOther ? n - change.at : n
    return {
      ssrc: isOther ? 2 : 1,
      sequence: isOther ? 500 + number : n,
      timestamp: (isOther ? 0x7000_0000 : 0xffff_0000) + number * TICKS,
      arrivalMs: BEGIN_MS + (n + 1) * PACKET_MS + delay(isOther ? number - change.silentFor : number),
      payload: VOICE.subarray(n * TICKS, (n + 1) * TICKS),
    }
  })
  const isHeard = (_packet: BenchPacket, n: number): boolean =>
    change === undefined || n < change.at || n >= change.at + change.silentFor
  let latestMs = 0
  return all.filter(isHeard).map((packet) => {
    // Packets that wait overtake no others.
    latestMs = Math.max(latestMs, packet.arrivalMs)
    return { ...packet, arrivalMs: latestMs }
  })
}

async function record(t: TestContext, channels: readonly BenchPacket[][]) {
  const bench = new TrackBench(
    t,
    channels.map(() => [PCMU]),
    { flushMs: FLUSH_MS },
  )
  const all = channels.flatMap((list, channel) => list.map((packet) => ({ channel, packet })))
  for (const { channel, packet } of all.sort((a, b) => a.packet.arrivalMs - b.packet.arrivalMs)) {
    bench.accept(channel, packet)
  }
  return await bench.publish(DURATION_MS)
}

/** By how many milliseconds what is said from `saidMs` of the talk on is late in a channel. */
function lateness(samples: Int16Array, saidMs: number): number {
  const reachMs = 400
  const from = (BEGIN_MS + saidMs - reachMs) * 8
  const heard = samples.subarray(from, from + (WORD_MS + 2 * reachMs) * 8)
  const reference = new Int16Array(heard.length)
  reference.set(NOISE.subarray(saidMs * 8, (saidMs + WORD_MS) * 8), reachMs * 8)
  const { coefficient, lagSamples } = correlate(reference, heard, reachMs * 8)
  assert.ok(coefficient > 0.3, `what is said at ${saidMs} ms is there: ${coefficient}`)
  return lagSamples / 8
}

/** Audio and gaps make up the duration, and do not overlap. */
function assertExact({ account, gaps }: StreamManifest): void {
  const missingMs = Object.values(account!.missingMs).reduce((sum, ms) => sum + ms, 0)
  assert.ok(Math.abs(account!.audioMs + missingMs - DURATION_MS) < 1, `${account!.audioMs} + ${missingMs}`)
  let atMs = 0
  for (const { fromMs, toMs } of gaps) {
    assert.ok(fromMs >= atMs && toMs > fromMs && toMs <= DURATION_MS, `gap ${fromMs} to ${toMs} after ${atMs}`)
    atMs = toMs
  }
}

const jitter = seededIds(11)
const DELAYS: readonly (readonly [how: string, delay: Delay])[] = [
  ['a first packet that was held up by 150 ms, and the others with it', (n) => Math.max(0, 150 - n * PACKET_MS)],
  ['200 ms that become less over the first second', (n) => Math.max(0, 200 - n * 4)],
  ['up to 200 ms of jitter in the first second', (n) => (n < 50 ? (n === 0 ? 200 : jitter.integer(200)) : 0)],
  ['a network that stood still for 600 ms', (n) => Math.max(0, 600 - n * PACKET_MS)],
]

for (const [how, delay] of DELAYS) {
  test(`RTP-12: a stream that begins with ${how} lies where it was said, from its first word on`, async (t) => {
    const { manifest, folder } = await record(t, [sent(delay), sent(() => 0)])
    const wav = readWav(readFileSync(join(folder, 'recording.wav')))
    assert.ok(wav.ok)
    for (const [channel, samples] of wav.value.samples.entries()) {
      for (const saidMs of [1000, 3000, 7000]) {
        const lateMs = lateness(samples, saidMs)
        assert.ok(Math.abs(lateMs) <= PACKET_MS, `channel ${channel} is ${lateMs} ms late at ${saidMs} ms`)
      }
      assertExact(manifest.streams[channel]!)
    }
    const [first] = manifest.streams[0]!.gaps
    assert.equal(first!.cause, 'no-rtp-yet')
    assert.ok(Math.abs(first!.toMs - BEGIN_MS) <= PACKET_MS, `audio from ${first!.toMs} ms on`)
  })

  test(`RTP-12: a source that takes over with ${how} lies where it was said`, async (t) => {
    const { manifest, folder } = await record(t, [sent(delay, { at: 150, silentFor: 40 }), sent(() => 0)])
    const wav = readWav(readFileSync(join(folder, 'recording.wav')))
    assert.ok(wav.ok)
    for (const [channel, samples] of wav.value.samples.entries()) {
      for (const saidMs of [1000, 5000, 7000]) {
        const lateMs = lateness(samples, saidMs)
        assert.ok(Math.abs(lateMs) <= PACKET_MS, `channel ${channel} is ${lateMs} ms late at ${saidMs} ms`)
      }
      assertExact(manifest.streams[channel]!)
    }
  })
}

test('RTP-12: a stream that goes on in another process lies where it was said, and not over what the one before kept', async (t) => {
  for (const accountedMs of [1000, 1400]) {
    const bench = new TrackBench(t, [[PCMU]], { flushMs: FLUSH_MS, accountedMs })
    for (const packet of sent((n) => Math.max(0, 200 - n * 4))) bench.accept(0, packet)
    const { manifest, folder } = await bench.publish(DURATION_MS)
    const wav = readWav(readFileSync(join(folder, 'recording.wav')))
    assert.ok(wav.ok)
    const lateMs = lateness(wav.value.samples[0]!, 2000)
    assert.ok(Math.abs(lateMs) <= PACKET_MS, `${lateMs} ms late`)
    const { runs, gaps } = manifest.streams[0]!
    assert.ok(runs[0]!.startMs >= accountedMs)
    assert.equal(gaps[0]!.fromMs, accountedMs)
  }
})

test('RTP-12: packets that are kept as they came lie where they were said, whichever source they are of', async (t) => {
  const bench = new TrackBench(t, [[OPUS]], { flushMs: FLUSH_MS })
  const packets = sent((n) => Math.max(0, 200 - n * 4), { at: 150, silentFor: 40 })
  let number = -1
  for (const packet of packets) {
    number += 1
    const n = number < 150 ? number : number + 40
    const timestamp = packet.ssrc === 1 ? n * 960 : 7_000_000 + n * 960
    bench.accept(0, { ...packet, timestamp, payload: Uint8Array.of(CELT_20_MS, n >> 8, n & 0xff), payloadType: 96 })
  }
  const { manifest, folder } = await bench.publish(DURATION_MS)
  assertExact(manifest.streams[0]!)
  const run = manifest.streams[0]!.runs[0]!
  const time = new RunTime(run)
  const records = [...readRawRun(join(folder, run.file), run)]
  assert.equal(records.length, packets.length)
  for (const { payload, position } of records) {
    const saidMs = BEGIN_MS + ((payload[1]! << 8) | payload[2]!) * PACKET_MS
    assert.ok(Math.abs(time.msOf(position) - saidMs) <= PACKET_MS, `${time.msOf(position)} for ${saidMs}`)
  }
})
