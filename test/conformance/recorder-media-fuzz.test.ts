// Damaged and senseless RTP and RTCP against the recorder's media side: it never throws, and what it keeps is bounded by the time that passed.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Ids, ManualClock, seededIds } from '#kernel'
import { buildBye, buildReceiverReport, buildSdes, buildSenderReport, compoundRtcp, writeRtpHeader } from '#rtp'
import type { StreamManifest } from '#store'
import type { RecordEvent, RecordReplies } from '../../src/recording-server/record-messages.ts'
import { MemoryPorts } from '../harness/memory-ports.ts'
import { roomMedia } from '../harness/recorder.ts'
import { FACTS } from '../harness/room-bench.ts'

const CODECS = [
  { payloadType: 0, encoding: 'PCMU/8000', clockRateHz: 8000 },
  { payloadType: 8, encoding: 'PCMA/8000', clockRateHz: 8000 },
  { payloadType: 13, encoding: 'CN/8000', clockRateHz: 8000 },
  { payloadType: 96, encoding: 'OPUS/48000/2', clockRateHz: 48_000 },
  { payloadType: 97, encoding: 'RED/8000', clockRateHz: 8000 },
  { payloadType: 98, encoding: 'AMR/8000', clockRateHz: 8000 },
  { payloadType: 101, encoding: 'TELEPHONE-EVENT/8000', clockRateHz: 8000 },
]
const ROUNDS = 15
const STEPS = 400
const HEADER_BYTES = 12
/** RTP time may run ahead of arrival by so much in all (`timeline.ts`), and a packet. */
const MOST_AHEAD_MS = 60_000 + 1000
/** Of the stream that is locked to and three sources beside it. */
const MOST_SOURCES = 4
const MOST_RUNS = 64
const MOST_LISTED = 10_000

function noise(ids: Ids, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, () => ids.integer(256))
}

/** A sender that is sane between its fits. */
class Sender {
  readonly #ids: Ids
  readonly #ports: MemoryPorts
  readonly #port: number
  #ssrc: number
  #sequence: number
  #timestamp: number

  constructor(ids: Ids, ports: MemoryPorts, port: number) {
    this.#ids = ids
    this.#ports = ports
    this.#port = port
    this.#ssrc = ids.integer(2 ** 32)
    this.#sequence = ids.integer(2 ** 16)
    this.#timestamp = ids.integer(2 ** 32)
  }

  /** The next packet, or something else. */
  step(): void {
    const { integer } = this.#ids
    switch (integer(50)) {
      case 0:
        this.#sequence = integer(2 ** 16)
        break
      case 1:
        this.#timestamp = integer(2 ** 32)
        break
      case 2:
        this.#timestamp = (this.#timestamp + integer(400_000)) >>> 0
        break
      case 3:
        this.#ssrc = integer(4) === 0 ? integer(2 ** 32) : 1 + integer(6)
        break
      case 4:
        this.#ports.give(this.#port, noise(this.#ids, integer(60)), { isRtcp: integer(2) === 0 })
        return
      case 5:
      case 6:
        this.#report()
        return
      case 7:
        this.#give(this.#damaged(this.#packet()))
        return
      case 8:
        // Overtaken, or again.
        this.#sequence = (this.#sequence - integer(8)) & 0xffff
        break
      case 9:
        this.#give(this.#packet(), 40_000 + integer(3))
        return
      default:
    }
    this.#give(this.#packet())
  }

  #give(packet: Uint8Array, fromPort = 40_000): void {
    this.#ports.give(this.#port, packet, { fromPort })
  }

  #packet(): Uint8Array {
    const { integer } = this.#ids
    const usual = integer(6) > 0
    const payloadType = usual ? 0 : [8, 13, 96, 97, 97, 98, 101, 101, 77][integer(9)]!
    const payload = this.#payload(payloadType)
    const packet = new Uint8Array(HEADER_BYTES + payload.length)
    const numbers = { sequence: this.#sequence, timestamp: this.#timestamp, ssrc: this.#ssrc }
    writeRtpHeader(packet, 0, { payloadType, marker: integer(20) === 0, ...numbers })
    packet.set(payload, HEADER_BYTES)
    this.#sequence = (this.#sequence + 1) & 0xffff
    this.#timestamp = (this.#timestamp + 160) >>> 0
    return packet
  }

  #payload(payloadType: number): Uint8Array {
    const { integer } = this.#ids
    const bytes = (count: number): Uint8Array => noise(this.#ids, count)
    if (payloadType === 0) return integer(30) === 0 ? bytes(integer(1400)) : new Uint8Array(160).fill(0x55)
    if (payloadType === 101) return Uint8Array.of(integer(20), integer(256), integer(256), integer(256))
    // A list of blocks by RFC 2198 that may be true, or not.
    if (payloadType === 97 && integer(3) > 0) {
      const offset = integer(3) * 160
      const length = integer(4) === 0 ? integer(1024) : 160
      const inner = integer(5) === 0 ? integer(128) : 0
      const head = [0x80 | inner, offset >> 6, ((offset & 0x3f) << 2) | (length >> 8), length & 0xff, inner]
      return Uint8Array.from([...head, ...bytes(integer(3) === 0 ? integer(400) : length + 160)])
    }
    return bytes(integer(200))
  }

  #report(): void {
    const { integer } = this.#ids
    const ssrc = integer(4) === 0 ? integer(2 ** 32) : this.#ssrc
    const counts = { packetCount: integer(2 ** 32), octetCount: integer(2 ** 32), reports: [] }
    const ntp = { ntpSeconds: integer(3) === 0 ? integer(2 ** 32) : 3_900_000_000, ntpFraction: integer(2 ** 32) }
    const rtpTimestamp = integer(3) === 0 ? integer(2 ** 32) : this.#timestamp
    const compound = compoundRtcp([
      integer(4) === 0 ? buildReceiverReport(ssrc, []) : buildSenderReport({ ssrc, ...ntp, rtpTimestamp, ...counts }),
      buildSdes({ ssrc, cname: integer(3) === 0 ? '' : 'client' }),
      ...(integer(9) === 0 ? [buildBye(ssrc)] : []),
    ])
    const isRtcp = integer(2) === 0
    this.#ports.give(this.#port, integer(3) === 0 ? this.#damaged(compound) : compound, { isRtcp })
  }

  #damaged(packet: Uint8Array): Uint8Array {
    const { integer } = this.#ids
    const damaged = packet.slice(0, integer(3) === 0 ? integer(packet.length) : packet.length)
    for (let left = integer(6); left > 0 && damaged.length > 0; left--) damaged[integer(damaged.length)] = integer(256)
    return damaged
  }
}

/** What was kept of one round, and how long it took by its clock. */
async function round(t: TestContext, seed: number) {
  const root = await mkdtemp(join(tmpdir(), 'media-fuzz-'))
  t.after(() => rm(root, { recursive: true, force: true }))
  const ids = seededIds(seed)
  const clock = new ManualClock()
  const ports = new MemoryPorts()
  const media = roomMedia(root, clock, { ports: ports.pool })
  const events: RecordEvent[] = []
  media.onEvent((event) => void (event.type === 'disk-state' || events.push(event as RecordEvent)))
  const recordingId = 'fuzz'
  await media.ask({ type: 'open', recordingId, facts: FACTS })
  const settings = { codecs: CODECS, isPaused: false }
  const senders: Sender[] = []
  for (let channel = 0; channel < 2; channel++) {
    const { rtpPort } = (await media.ask({ type: 'add-stream', recordingId, settings })) as RecordReplies['add-stream']
    senders.push(new Sender(ids, ports, rtpPort))
    // Two at once on one m-line.
    if (channel === 0) senders.push(new Sender(ids, ports, rtpPort))
  }
  const beganMs = clock.nowMs()
  for (let step = 0; step < STEPS; step++) {
    const silence = ids.integer(60) === 0 ? ids.integer(5000) : 20
    clock.advance(silence)
    for (const sender of senders) sender.step()
    const channel = ids.integer(2)
    const isPaused = ids.integer(2) === 0
    if (ids.integer(60) === 0)
      await media.ask({ type: 'set-stream', recordingId, channel, settings: { ...settings, isPaused } })
    if (ids.integer(90) === 0) await media.ask({ type: isPaused ? 'pause' : 'resume', recordingId })
  }
  const tookMs = clock.nowMs() - beganMs
  const { manifest } = (await media.ask({ type: 'close', recordingId, facts: FACTS })) as RecordReplies['close']
  await media.close()
  return { manifest, events, tookMs }
}

function assertBounded({ runs, gaps, events, others = [], account }: StreamManifest, durationMs: number): void {
  assert.ok(runs.length <= MOST_RUNS, `${runs.length} runs`)
  assert.ok(gaps.length <= MOST_LISTED && events.length <= MOST_LISTED)
  assert.ok(others.length < MOST_SOURCES, `${others.length} other sources`)
  let atMs = 0
  for (const { fromMs, toMs } of gaps) {
    assert.ok(fromMs >= atMs - 1e-6 && toMs > fromMs, `gap ${fromMs} to ${toMs} after ${atMs}`)
    atMs = toMs
  }
  const missingMs = Object.values(account?.missingMs ?? {}).reduce((sum, ms) => sum + ms, 0)
  const audioMs = account?.audioMs ?? 0
  const tolerance = 0.5 * (gaps.length + 12)
  assert.ok(Math.abs(audioMs + missingMs - durationMs) < tolerance, `${audioMs} + ${missingMs} of ${durationMs}`)
  for (const { encoding, bytes, clockRateHz } of runs) {
    // Silence that gave way is in the file all the same.
    const mostMs = durationMs + MOST_AHEAD_MS
    if (/^PCM[UA]/.test(encoding)) assert.ok((bytes * 1000) / clockRateHz <= mostMs, `${bytes} bytes`)
  }
}

test('RTP-27, RTP-28: RTP, RED, keys and RTCP of senders that are out of their minds, 15 rounds of 400 steps: nothing throws, and what is kept is bounded by the time that passed', async (t) => {
  let kept = 0
  let others = 0
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const { manifest, events, tookMs } = await round(t, seed).catch((thrown: unknown) => {
      throw new Error(`round ${seed}`, { cause: thrown })
    })
    const faults = events.filter(({ type }) => type === 'track-failed' || type === 'watch-failed')
    assert.deepEqual(faults, [], `round ${seed}`)
    assert.ok(manifest.durationMs! <= tookMs + MOST_AHEAD_MS, `round ${seed}: ${manifest.durationMs} in ${tookMs} ms`)
    for (const stream of manifest.streams) {
      try {
        assertBounded(stream, manifest.durationMs!)
      } catch (thrown) {
        throw new Error(`round ${seed}, channel ${stream.channel}`, { cause: thrown })
      }
      kept += stream.account?.audioMs ?? 0
      others += stream.others?.length ?? 0
    }
  }
  assert.ok(kept > ROUNDS * 1000 && others > 0, `what is sane in it is kept: ${kept} ms, ${others} other sources`)
})
