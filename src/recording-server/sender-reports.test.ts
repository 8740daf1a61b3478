// Sender reports of live streams: they tell the way of a stream that is always longer from words that were said later.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { correlate, encodePcma, encodePcmu, readWav } from '#audio'
import { seededIds } from '#kernel'
import { buildSdes, buildSenderReport, compoundRtcp, ntpFromWallMs } from '#rtp'
import { RunTime, type StreamManifest } from '#store'
import { audioOf, RecorderBench } from '../../test/harness/recorder.ts'
import { offer } from '../../test/harness/recording-offer.ts'
import type { RtpSource } from '../../test/harness/rtp-source.ts'
import { type BenchPacket, TrackBench } from '../../test/harness/track-bench.ts'

const PCMU = { payloadType: 0, encoding: 'PCMU/8000', clockRateHz: 8000 }
const PCMA = { payloadType: 8, encoding: 'PCMA/8000', clockRateHz: 8000 }
const PACKET_MS = 20
const TICKS = 160
const LATER_MS = 150
/** When the talk begins, after the recording did. */
const BEGIN_MS = 400
const REPORT_EVERY_MS = 2500
const WORD_MS = 500
const CNAME = 'client'
/** What the client's clock says when our recording begins. */
const CLIENT_MS = Date.UTC(2026, 4, 1)

/** What both sides say at the same time: where it lies in their channels tells how they are aligned. */
function noise(seconds: number): Int16Array {
  const ids = seededIds(3)
  return Int16Array.from({ length: seconds * 8000 }, () => ids.integer(16_000) - 8000)
}

/** One side; times in milliseconds since the talk began. */
interface Side {
  /** How long the way to us takes. */
  readonly delayMs: (saidMs: number) => number
  readonly cname?: string | undefined
  /** What its clock shows, as it is when undefined; nothing is reported at null. */
  readonly clock?: (saidMs: number, number: number) => number | null
  /** RTP ticks that a report is off. */
  readonly ticksOff?: (number: number) => number
  /** A-law from then on. */
  readonly alawFromMs?: number
  readonly beginMs?: number
}

interface Arrival {
  readonly arrivalMs: number
  readonly give: (bench: TrackBench) => void
}

function arrivals(channel: number, side: Side, samples: Int16Array): Arrival[] {
  const { delayMs, cname = CNAME, clock = (saidMs) => saidMs, ticksOff = () => 0, beginMs = BEGIN_MS } = side
  const firstTimestamp = 0xffff_0000 + channel * 777
  const arrivalOf = (saidMs: number): number => beginMs + saidMs + delayMs(saidMs)
  const packets = Array.from({ length: samples.length / TICKS }, (_unused, n): Arrival => {
    const endMs = (n + 1) * PACKET_MS
    const part = samples.subarray(n * TICKS, (n + 1) * TICKS)
    const isAlaw = n * PACKET_MS >= (side.alawFromMs ?? Number.POSITIVE_INFINITY)
    const packet: BenchPacket = {
      ssrc: channel + 1,
      sequence: n,
      timestamp: firstTimestamp + n * TICKS,
      arrivalMs: arrivalOf(endMs),
      payload: isAlaw ? encodePcma(part) : encodePcmu(part),
      payloadType: isAlaw ? 8 : 0,
    }
    return { arrivalMs: packet.arrivalMs, give: (bench) => bench.accept(channel, packet) }
  })
  const reports: Arrival[] = []
  for (let number = 1; number * REPORT_EVERY_MS < samples.length / 8; number++) {
    const saidMs = number * REPORT_EVERY_MS + channel * 700
    const shown = clock(saidMs, number)
    if (shown === null) continue
    const arrivalMs = arrivalOf(saidMs)
    const timestamp = (firstTimestamp + saidMs * 8 + ticksOff(number)) >>> 0
    const report = { ssrc: channel + 1, timestamp, saidMs: CLIENT_MS + beginMs + shown, arrivalMs, cname }
    reports.push({ arrivalMs, give: (bench) => bench.report(channel, report) })
  }
  return [...packets, ...reports]
}

async function record(t: TestContext, seconds: number, ...sides: readonly Side[]) {
  const samples = noise(seconds)
  const codecs = sides.map(() => [PCMU, PCMA])
  const bench = new TrackBench(t, codecs, { flushMs: 100 })
  const all = sides.flatMap((side, channel) => arrivals(channel, side, samples))
  for (const { give } of all.sort((a, b) => a.arrivalMs - b.arrivalMs)) give(bench)
  const durationMs = BEGIN_MS + seconds * 1000 + 2 * LATER_MS
  const { manifest, folder } = await bench.publish(durationMs)
  for (const stream of manifest.streams) assertExact(stream, durationMs)
  const wav = readWav(readFileSync(join(folder, 'recording.wav')))
  assert.ok(wav.ok)
  const lateness = (channel: number, saidMs: number, beginMs = BEGIN_MS): number =>
    latenessOf(wav.value.samples[channel]!, samples, saidMs, beginMs)
  return { manifest, lateness }
}

/** By how many milliseconds what is said from `saidMs` of the talk on lies later in a channel. */
function latenessOf(heard: Int16Array, said: Int16Array, saidMs: number, beginMs: number): number {
  const reachMs = Math.min(beginMs, 400)
  const from = (beginMs + saidMs - reachMs) * 8
  const part = heard.subarray(from, from + (WORD_MS + 2 * reachMs) * 8)
  const reference = new Int16Array(part.length)
  reference.set(said.subarray(saidMs * 8, (saidMs + WORD_MS) * 8), reachMs * 8)
  const { coefficient, lagSamples } = correlate(reference, part, reachMs * 8)
  assert.ok(coefficient > 0.3, `what is said at ${saidMs} ms is there: ${coefficient}`)
  return lagSamples / 8
}

/** Audio and gaps make up the duration, and do not overlap. */
function assertExact({ account, gaps }: StreamManifest, durationMs: number): void {
  const missingMs = Object.values(account!.missingMs).reduce((sum, ms) => sum + ms, 0)
  assert.ok(Math.abs(account!.audioMs + missingMs - durationMs) < 1, `${account!.audioMs} + ${missingMs}`)
  let atMs = 0
  for (const { fromMs, toMs } of gaps) {
    assert.ok(fromMs >= atMs - 1e-6 && toMs > fromMs && toMs <= durationMs, `gap ${fromMs} to ${toMs} after ${atMs}`)
    atMs = toMs
  }
}

const prompt: Side = { delayMs: () => 0 }
const later: Side = { delayMs: () => LATER_MS }

test('RTP-12: a stream whose way is always 150 ms longer lies where it was said, from its first word on', async (t) => {
  const { lateness } = await record(t, 16, prompt, later)
  for (const channel of [0, 1]) {
    for (const saidMs of [0, 5000, 15_000]) {
      const lateMs = lateness(channel, saidMs)
      assert.ok(Math.abs(lateMs) <= 2, `channel ${channel} is ${lateMs} ms late at ${saidMs} ms`)
    }
  }
})

test('RTP-12: packets that a relay had late itself, reports of the last packet, and jitter do not spoil it', async (t) => {
  const ids = seededIds(8)
  const jitter = (): number => ids.integer(60)
  const { lateness } = await record(
    t,
    40,
    { delayMs: jitter, ticksOff: () => -ids.integer(TICKS) },
    { delayMs: (saidMs) => LATER_MS + (saidMs % 3 === 0 ? 0 : jitter()), ticksOff: () => -ids.integer(TICKS) },
  )
  const apart = lateness(1, 30_000) - lateness(0, 30_000)
  assert.ok(Math.abs(apart) <= PACKET_MS, `${apart} ms apart`)
})

for (const [what, side] of [
  ['no report', { clock: () => null }],
  ['a clock that is three hours off', { clock: (saidMs: number) => saidMs + 3 * 3_600_000 }],
  ['a clock of another century', { clock: () => -CLIENT_MS }],
  ['a clock that jumps', { clock: (saidMs: number, number: number) => saidMs + (number % 4) * 90 }],
  ['a clock that stands still', { clock: () => 0 }],
  ['RTP time of another source', { ticksOff: (number: number) => 0x1000_0000 * number }],
  ['another name', { cname: 'somebody' }],
  ['no name', { cname: '' }],
] as const) {
  test(`RTP-12: with ${what} in one stream both lie as they arrive`, async (t) => {
    for (const isFirst of [true, false]) {
      const [one, other] = isFirst ? [{ ...prompt, ...side }, later] : [prompt, { ...later, ...side }]
      const { lateness, manifest } = await record(t, 16, one, other)
      for (const saidMs of [0, 15_000]) {
        assert.ok(Math.abs(lateness(0, saidMs)) <= 1)
        assert.ok(Math.abs(lateness(1, saidMs) - LATER_MS) <= 1)
      }
      for (const { runs } of manifest.streams) assert.equal(runs[0]!.clock, undefined)
    }
  })
}

test('RTP-12: what is known of the way of a stream holds for the codec after', async (t) => {
  const { lateness } = await record(t, 16, prompt, { ...later, alawFromMs: 12_000 })
  for (const saidMs of [11_000, 12_200, 15_000]) {
    const lateMs = lateness(1, saidMs)
    assert.ok(Math.abs(lateMs) <= 2, `${lateMs} ms late at ${saidMs} ms`)
  }
})

test('RTP-12: a way that becomes shorter moves nothing that reports say lies well', async (t) => {
  const { lateness } = await record(t, 60, prompt, { delayMs: (saidMs) => (saidMs < 20_000 ? LATER_MS : 0) })
  for (const saidMs of [10_000, 19_000, 21_000, 40_000, 58_000]) {
    const lateMs = lateness(1, saidMs)
    assert.ok(Math.abs(lateMs) <= PACKET_MS, `${lateMs} ms late at ${saidMs} ms`)
  }
})

test('RTP-12: where too little before a stream can give way the rest is made good by a thousandth', async (t) => {
  const { manifest } = await record(t, 200, { ...prompt, beginMs: 0 }, { ...later, beginMs: PACKET_MS - LATER_MS })
  const [run] = manifest.streams[1]!.runs
  const time = new RunTime(run!)
  const spanMs = 190_000
  const earlierMs = spanMs + time.msOf(0) - time.msOf(spanMs * 8)
  assert.ok(earlierMs > LATER_MS - 2 * PACKET_MS && earlierMs < LATER_MS + 1, `${earlierMs} ms earlier by then`)
})

test('RTP-12: reports that come when the clock of a stream has been bent already move it by a thousandth', async (t) => {
  const driftMs = (saidMs: number): number => saidMs * 4e-4
  const clock = (saidMs: number): number | null => (saidMs < 30_000 ? null : saidMs)
  const { lateness } = await record(
    t,
    240,
    { delayMs: driftMs, clock },
    { delayMs: (saidMs) => LATER_MS + driftMs(saidMs), clock },
  )
  const apart = (saidMs: number): number => lateness(1, saidMs) - lateness(0, saidMs)
  assert.ok(
    Math.abs(apart(30_000) - LATER_MS) <= 2 && Math.abs(apart(235_000)) <= PACKET_MS,
    `${apart(235_000)} ms apart`,
  )
})

/** A compound of RTCP as a client sends it. */
function reportOf({ ssrc, timestamp, payloadType }: RtpSource, wallMs: number): Uint8Array {
  assert.equal(payloadType, 0)
  const { seconds, fraction } = ntpFromWallMs(wallMs)
  const counts = { packetCount: 1, octetCount: TICKS, reports: [] }
  return compoundRtcp([
    buildSenderReport({ ssrc, ntpSeconds: seconds, ntpFraction: fraction, rtpTimestamp: timestamp, ...counts }),
    buildSdes({ ssrc, cname: CNAME }),
  ])
}

for (const [what, shownMs, lateMs] of [
  ['that says so', (wallMs: number) => wallMs, 0],
  ['without a clock', () => Date.UTC(1900, 0, 1), LATER_MS],
] as const) {
  test(`RTP-12: the recording of a client ${what} has a stream that is 150 ms longer on its way ${lateMs} ms later`, async (t) => {
    const bench = await RecorderBench.open(t)
    const session = await bench.start(offer())
    const sources = [await bench.source(session, 0), await bench.source(session, 1)]
    const said = noise(4)
    const payload = encodePcmu(said)
    let sent = 0
    for (let atMs = 10; atMs <= 4000 + LATER_MS; atMs += 10) {
      bench.clock.advance(10)
      for (const [line, source] of sources.entries()) {
        const saidMs = atMs - line * LATER_MS
        if (saidMs <= 0 || saidMs > 4000 || saidMs % PACKET_MS !== 0) continue
        await source.sendPacket(payload.subarray((saidMs - PACKET_MS) * 8, saidMs * 8))
        sent += 1
        if (saidMs % 600 === 0) await source.sendRaw(reportOf(source, shownMs(CLIENT_MS + saidMs)))
      }
      await arrived(bench, sent)
    }
    const { manifest, folder } = await bench.end(session)
    const [one, other] = await audioOf(folder)
    for (const fromMs of [500, 3000]) {
      const part = (heard: Int16Array): Int16Array => heard.subarray(fromMs * 8, (fromMs + 1000) * 8)
      const { coefficient, lagSamples } = correlate(part(one!), part(other!), 300 * 8)
      assert.ok(coefficient > 0.3, `both say the same: ${coefficient}`)
      assert.ok(Math.abs(lagSamples / 8 - lateMs) <= 2, `${lagSamples / 8} ms apart at ${fromMs} ms`)
    }
    for (const stream of manifest.streams) assertExact(stream, manifest.durationMs!)
  })
}

/** The clock stands still meanwhile. */
async function arrived(bench: RecorderBench, count: number): Promise<void> {
  while ((await bench.packets()) < count) await new Promise<void>((resolve) => setImmediate(resolve))
}
