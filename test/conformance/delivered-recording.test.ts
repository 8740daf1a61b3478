// What was spooled is delivered eight times faster than it was said, and lies at our recorder as long as it was: by hand-moved time.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { correlate, encodePcmu, goertzelPower, readWav, rmsDbfs, tone } from '#audio'
import { ManualClock, seededIds } from '#kernel'
import { newRtpView, parseRtcp, parseRtp, RTP_HEADER_BYTES, wallMsFromNtp, writeRtpHeader } from '#rtp'
import { RecordingTime } from '../../src/recording-server/recording-time.ts'
import { DeliveryLine } from '../../src/spool/delivery-line.ts'
import { SpoolDelivery } from '../../src/spool/spool-delivery.ts'
import type { SpoolReader } from '../../src/spool/spool-file.ts'
import type { SpoolRecord } from '../../src/spool/spool-format.ts'
import { TrackBench } from '../harness/track-bench.ts'

const PCMU = { payloadType: 0, encoding: 'PCMU/8000', clockRateHz: 8000 }
const SPEED = 8
const FRAME = 160
const HZ = [400, 1000]
/** Who speaks when, in seconds of the call. */
const SAID = [
  [
    [0, 10],
    [250, 260],
  ],
  [[200, 255]],
] as const
const SAID_MS = 260_000
const NOISE_MS = 60_000
const NOISE_BYTES = ((ids) => encodePcmu(Int16Array.from({ length: NOISE_MS * 8 }, () => ids.integer(16_000) - 8000)))(
  seededIds(5),
)

/** What a spool has kept of the call, in the order in which it came. */
function kept(): SpoolRecord[] {
  const records = SAID.flatMap((stretches, stream) => {
    const payload = encodePcmu(tone(HZ[stream]!, 40).subarray(80, 240))
    let sequence = 65_000
    return stretches.flatMap(([from, to]) =>
      Array.from({ length: (to - from) * 50 }, (_unused, index): SpoolRecord => {
        const frame = from * 50 + index
        const packet = Buffer.alloc(RTP_HEADER_BYTES + payload.length)
        const timestamp = (2 ** 32 - 80_000 + frame * FRAME) >>> 0
        sequence += 1
        writeRtpHeader(packet, 0, {
          payloadType: 0,
          marker: false,
          sequence: sequence & 0xffff,
          timestamp,
          ssrc: stream + 1,
        })
        packet.set(payload, RTP_HEADER_BYTES)
        return { stream, atMs: 1_000_000 + frame * 20, packet } as SpoolRecord
      }),
    )
  })
  return records.sort((a, b) => a.atMs - b.atMs)
}

/** A recorder's tracks, and a delivery that sends to them what was kept by lines as the spool has them. */
class Delivered {
  readonly clock = new ManualClock()
  readonly time = new RecordingTime(this.clock)
  readonly bench: TrackBench
  isSent = false
  readonly #delivery: SpoolDelivery

  /** `passes`: whether reports of a stream arrive. */
  constructor(t: TestContext, records: readonly SpoolRecord[], passes: (report: number) => boolean = () => true) {
    const { clock, time } = this
    time.deliverAt(SPEED)
    this.bench = new TrackBench(t, [[PCMU], [PCMU]], { sender: time.sender, flushMs: 100 * SPEED })
    let left = [...records]
    const reader = {
      nextPackets: () => (left.length === 0 ? undefined : left.splice(0, 100)),
      close: () => {
        left = []
      },
    } as unknown as SpoolReader
    this.#delivery = new SpoolDelivery(reader, {
      clock,
      cname: 'c',
      speed: SPEED,
      onSent: () => {
        this.isSent = true
      },
      onFault: (reason) => assert.fail(reason),
    })
    const remote = { rtp: { host: 'h', port: 1 }, rtcp: { host: 'h', port: 2 } }
    for (const stream of [0, 1]) {
      const line = new DeliveryLine({
        fork: `f${stream}`,
        stream,
        pair: { rtp: socketTo(this.#hearer(stream)), rtcp: socketTo(this.#reader(stream, passes)), port: 1 } as never,
        pool: undefined as never,
        clock,
        ssrc: stream + 7,
        delivery: this.#delivery,
      })
      line.connect({ remote, codecs: [] } as never, new Map([[0, { payloadType: 0, clockRateHz: 8000 }]]))
      this.#delivery.lines.set(`f${stream}`, line)
    }
  }

  /** Delivers all of it; how long the recorder's recording is then. */
  run(longestMs: number): number {
    this.clock.advance(700)
    this.#delivery.set(['f0', 'f1'], true)
    for (let passed = 0; !this.isSent && passed < longestMs; passed += 5) this.clock.advance(5)
    assert.equal(this.isSent, true)
    return this.bench.settle()
  }

  /** RTP of a stream, with up to 7 ms of jitter on the way. */
  #hearer(stream: number): (bytes: Uint8Array) => void {
    const view = newRtpView()
    let extended = 0
    let last = 0
    let arrivals = 3 * stream
    return (bytes) => {
      arrivals += 1
      assert.ok(parseRtp(bytes, view))
      const { sequence, timestamp, ssrc } = view
      extended += extended === 0 ? sequence : (sequence - last) & 0xffff
      last = sequence
      const arrivalMs = this.time.elapsedMs() + ((arrivals * 5) % 8) * SPEED
      const payload = Uint8Array.from(bytes.subarray(view.payloadOffset))
      this.bench.accept(stream, { sequence: extended, timestamp, arrivalMs, payload, ssrc })
      this.time.reached(this.bench.tracks[stream]!.endMs)
    }
  }

  #reader(stream: number, passes: (report: number) => boolean): (bytes: Uint8Array) => void {
    let reports = 0
    return (bytes) => {
      for (const packet of parseRtcp(bytes)) {
        if (packet.type !== 'sender-report') continue
        const { ssrc, rtpTimestamp: timestamp, ntpSeconds, ntpFraction } = packet
        if (passes(reports)) {
          const saidMs = wallMsFromNtp(ntpSeconds, ntpFraction)
          this.bench.tracks[stream]!.noteReport({ ssrc, timestamp, saidMs, arrivalMs: 0 })
        }
        reports += 1
      }
    }
  }
}

function socketTo(hear: (bytes: Uint8Array) => void): unknown {
  return { on: () => {}, send: (bytes: Uint8Array) => hear(bytes) }
}

test('SRC-63: a call with minutes of silence that is delivered eight times faster is as long as it was, and each voice is where it was', async (t) => {
  const delivered = new Delivered(t, kept())
  const durationMs = delivered.run(60_000)
  const { clock, bench } = delivered
  assert.ok(clock.nowMs() < 700 + 500 + SAID_MS / SPEED + 500, `${clock.nowMs()} ms`)
  assert.ok(Math.abs(durationMs - SAID_MS) <= 20, `${durationMs} ms`)
  const { manifest, folder } = await bench.publish(durationMs)
  assert.ok(Math.abs(manifest.durationMs - SAID_MS) <= 20)
  const wav = readWav(readFileSync(join(folder, 'recording.wav')))
  assert.ok(wav.ok)
  const part = (samples: Int16Array, fromMs: number, toMs: number) => samples.subarray(fromMs * 8, toMs * 8)
  const [first, second] = wav.value.samples
  assert.ok(goertzelPower(part(second!, 200_020, 254_980), 8000, HZ[1]!) > 0.9)
  assert.ok(rmsDbfs(part(second!, 0, 199_980)) < -60 && rmsDbfs(part(second!, 255_020, 260_000)) < -60)
  assert.ok(Math.abs(first!.length / 8 - SAID_MS) <= 20)
  assert.ok(goertzelPower(part(first!, 20, 9_980), 8000, HZ[0]!) > 0.9)
  assert.ok(rmsDbfs(part(first!, 10_020, 249_980)) < -60)
  assert.ok(goertzelPower(part(first!, 250_020, 259_980), 8000, HZ[0]!) > 0.9)
})

/** Both sides say the same noise at the same time; the first packets of each were kept later than they were said. */
function noiseKept(lateMs: readonly [number, number], beginsAtMs: readonly [number, number]): SpoolRecord[] {
  const records = [0, 1].flatMap((stream) => {
    let latestMs = 0
    return Array.from({ length: NOISE_MS / 20 }, (_unused, frame) => frame)
      .filter((frame) => frame * 20 >= beginsAtMs[stream]!)
      .map((frame, index): SpoolRecord => {
        const packet = Buffer.alloc(RTP_HEADER_BYTES + FRAME)
        const timestamp = (2 ** 32 - 8000 + (stream + 1) * 777 + frame * FRAME) >>> 0
        writeRtpHeader(packet, 0, { payloadType: 0, marker: false, sequence: index, timestamp, ssrc: stream + 1 })
        packet.set(NOISE_BYTES.subarray(frame * FRAME, frame * FRAME + FRAME), RTP_HEADER_BYTES)
        latestMs = Math.max(latestMs, 1_000_000 + frame * 20 + Math.max(0, lateMs[stream]! - index * 4))
        return { stream, atMs: latestMs, packet }
      })
  })
  return records.sort((a, b) => a.atMs - b.atMs)
}

/** By how many milliseconds the second channel is later than the first where both say the same. */
function apart(first: Int16Array, second: Int16Array, fromMs: number): number {
  const reachMs = 1000
  const word = first.subarray(fromMs * 8, (fromMs + 1000) * 8)
  const reference = new Int16Array(word.length + 2 * reachMs * 8)
  reference.set(word, reachMs * 8)
  const heard = second.subarray((fromMs - reachMs) * 8, (fromMs + 1000 + reachMs) * 8)
  const { coefficient, lagSamples } = correlate(reference, heard, reachMs * 8)
  assert.ok(coefficient > 0.3, `both say the same at ${fromMs} ms: ${coefficient}`)
  return lagSamples / 8
}

for (const [how, late, begins, passes] of [
  ['begin together', [0, 0], [0, 0], () => true],
  ['begin together, the first of which came late into the spool', [180, 0], [0, 0], () => true],
  ['begin together, the second of which came late into the spool', [0, 180], [0, 0], () => true],
  ['begin one after the other, in silence', [40, 120], [0, 11_000], () => true],
  ['begin with a report that is lost', [0, 150], [0, 500], (report: number) => report > 0],
] as const) {
  test(`SRC-63, RTP-12: two streams of a delivery that ${how} lie within a packet of each other`, async (t) => {
    const delivered = new Delivered(t, noiseKept(late, begins), passes)
    const durationMs = delivered.run(20_000)
    const { manifest, folder } = await delivered.bench.publish(durationMs)
    const wav = readWav(readFileSync(join(folder, 'recording.wav')))
    assert.ok(wav.ok)
    const [first, second] = wav.value.samples
    for (const fromMs of [12_500, 30_000, 55_000]) {
      const apartMs = apart(first!, second!, fromMs)
      assert.ok(Math.abs(apartMs) <= 20, `${apartMs} ms apart at ${fromMs} ms`)
    }
    for (const { account } of manifest.streams) {
      const missingMs = Object.values(account!.missingMs).reduce((sum, ms) => sum + ms, 0)
      assert.ok(Math.abs(account!.audioMs + missingMs - manifest.durationMs) < 1)
    }
  })
}

test('the same packets without the word that they are delivered are taken for a clock that runs wild', async (t) => {
  const clock = new ManualClock()
  const time = new RecordingTime(clock)
  const bench = new TrackBench(t, [[PCMU]])
  let sequence = 0
  for (const { stream, packet, atMs } of kept()) {
    if (stream !== 0) continue
    const arrivalMs = time.elapsedMs() + (atMs - 1_000_000) / SPEED
    sequence += 1
    bench.accept(0, {
      sequence,
      timestamp: Buffer.from(packet).readUInt32BE(4),
      arrivalMs,
      payload: packet.subarray(12),
    })
  }
  assert.ok(bench.tracks[0]!.endMs < SAID_MS / 2, `${bench.tracks[0]!.endMs} ms`)
})
