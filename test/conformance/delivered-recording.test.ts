// What was spooled is delivered eight times faster than it was said, and lies at our recorder as long as it was: by hand-moved time.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { encodePcmu, goertzelPower, readWav, rmsDbfs, tone } from '#audio'
import { ManualClock } from '#kernel'
import { RTP_HEADER_BYTES, writeRtpHeader } from '#rtp'
import { RecordingTime } from '../../src/recording-server/recording-time.ts'
import type { DeliveryLine } from '../../src/spool/delivery-line.ts'
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

test('SRC-63: a call with minutes of silence that is delivered eight times faster is as long as it was, and each voice is where it was', async (t) => {
  const clock = new ManualClock()
  const time = new RecordingTime(clock)
  time.deliverAt(SPEED)
  const bench = new TrackBench(t, [[PCMU], [PCMU]], { isDelivered: time.isDelivered })
  let records = kept()
  const reader = {
    nextPackets: () => (records.length === 0 ? undefined : records.splice(0, 100)),
    close: () => {
      records = []
    },
  } as unknown as SpoolReader
  let isSent = false
  const delivery = new SpoolDelivery(reader, {
    clock,
    speed: SPEED,
    onSent: () => {
      isSent = true
    },
    onFault: (reason) => assert.fail(reason),
  })
  const last = [0, 0]
  let arrivals = 0
  for (const stream of [0, 1]) {
    let isOpen = false
    let extended = 0
    const line: Pick<DeliveryLine, 'stream' | 'isFlowing' | 'set' | 'send'> = {
      stream,
      get isFlowing() {
        return isOpen
      },
      set: (open) => {
        isOpen = open
      },
      send: ({ packet }) => {
        arrivals += 1
        const sequence = Buffer.from(packet).readUInt16BE(2)
        extended += extended === 0 ? sequence : (sequence - last[stream]!) & 0xffff
        last[stream] = sequence
        // Up to 7 ms of jitter on the way.
        const arrivalMs = time.elapsedMs() + ((arrivals * 5) % 8) * SPEED
        bench.accept(stream, {
          sequence: extended,
          timestamp: Buffer.from(packet).readUInt32BE(4),
          arrivalMs,
          payload: packet.subarray(RTP_HEADER_BYTES),
          ssrc: stream + 1,
        })
        time.reached(bench.tracks[stream]!.endMs)
      },
    }
    delivery.lines.set(`f${stream}`, line as DeliveryLine)
  }
  clock.advance(700)
  const forks = ['f0', 'f1']
  delivery.set(forks, true)
  clock.advance(500)
  for (let passed = 0; !isSent && passed < 60_000; passed += 100) clock.advance(100)
  assert.equal(isSent, true)
  assert.ok(clock.nowMs() < 700 + 500 + SAID_MS / SPEED + 500, `${clock.nowMs()} ms`)
  const durationMs = Math.max(...bench.tracks.map(({ endMs }) => endMs))
  assert.ok(Math.abs(durationMs - SAID_MS) <= 20, `${durationMs} ms`)
  const { manifest, folder } = await bench.publish(durationMs)
  assert.ok(Math.abs(manifest.durationMs - SAID_MS) <= 20)
  const wav = readWav(readFileSync(join(folder, 'recording.wav')))
  assert.ok(wav.ok)
  const part = (samples: Int16Array, fromMs: number, toMs: number) => samples.subarray(fromMs * 8, toMs * 8)
  const [first, second] = wav.value.samples
  // Where a stream begins is known by arrival, eight times as coarse as it came.
  assert.ok(goertzelPower(part(second!, 200_200, 254_800), 8000, HZ[1]!) > 0.9)
  assert.ok(rmsDbfs(part(second!, 0, 199_800)) < -60 && rmsDbfs(part(second!, 255_200, 260_000)) < -60)
  assert.ok(Math.abs(first!.length / 8 - SAID_MS) <= 20)
  assert.ok(goertzelPower(part(first!, 20, 9_980), 8000, HZ[0]!) > 0.9)
  assert.ok(rmsDbfs(part(first!, 10_020, 249_980)) < -60)
  assert.ok(goertzelPower(part(first!, 250_020, 259_980), 8000, HZ[0]!) > 0.9)
})

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
