// A whole recorder on a clock of the test: how long what it publishes is, and where each word lies in it.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { correlate, encodePcmu, readWav } from '#audio'
import { seededIds } from '#kernel'
import { RTP_HEADER_BYTES, writeRtpHeader } from '#rtp'
import type { Manifest } from '#store'
import { MemoryPorts } from '../harness/memory-ports.ts'
import { type ClientSession, RecorderBench } from '../harness/recorder.ts'
import { offer } from '../harness/recording-offer.ts'

const PACKET_MS = 20
const TICKS = 160
const TOLERANCE_MS = 20
const MINUTE_MS = 60_000

type Direction = 'sendonly' | 'inactive'

/** One side of the call. */
interface Side {
  /** When it begins to send, after the session did. */
  readonly beginMs: number
  readonly lossPercent: number
  readonly mostJitterMs: number
}

interface Due {
  readonly atMs: number
  readonly line: number
  readonly packet: Uint8Array
}

/** A call whose sides say the same at the same time. */
class Call {
  readonly bench: RecorderBench
  readonly session: ClientSession
  readonly samples: Int16Array
  readonly #ports: MemoryPorts
  readonly #sides: readonly Side[]
  readonly #ids = seededIds(17)
  readonly #due: Due[] = []
  readonly #numbers: { sequence: number; timestamp: number }[]
  #nowMs = 0
  #version = 1

  private constructor(bench: RecorderBench, session: ClientSession, ports: MemoryPorts, sides: readonly Side[]) {
    this.bench = bench
    this.session = session
    this.#ports = ports
    this.#sides = sides
    this.#numbers = sides.map((_side, at) => ({ sequence: 0xfff0 - at, timestamp: 0xffff_f000 + at }))
    const ids = seededIds(5)
    this.samples = Int16Array.from({ length: 4 * MINUTE_MS * 8 }, () => ids.integer(16_000) - 8000)
  }

  static async open(t: TestContext, ...sides: readonly Side[]): Promise<Call> {
    const ports = new MemoryPorts()
    const bench = await RecorderBench.open(t, { ports: ports.pool })
    return new Call(bench, await bench.start(offer()), ports, sides)
  }

  /** Both sides speak for so long; those in `silent` do not. */
  speak(durationMs: number, silent: readonly number[] = []): void {
    for (const endMs = this.#nowMs + durationMs; this.#nowMs < endMs; ) {
      const from = this.#nowMs * 8
      this.#nowMs += PACKET_MS
      const payload = encodePcmu(this.samples.subarray(from, from + TICKS))
      for (const [line, side] of this.#sides.entries()) this.#say(line, side, payload, silent.includes(line))
      for (let ms = 0; ms < PACKET_MS; ms += 5) {
        this.bench.clock.advance(5)
        this.#deliver(this.#nowMs - PACKET_MS + ms + 5)
      }
    }
  }

  async reoffer(...directions: readonly Direction[]): Promise<void> {
    this.#version += 1
    const lines = directions.map((direction, at) => ({ attributes: [direction, `label:${at + 1}`] }))
    const before = this.bench.clock.nowMs()
    await this.bench.settled(this.session.dialog.reinvite({ body: offer(lines, this.#version) }))
    // The test's harness may have moved the clock a little.
    this.#nowMs += this.bench.clock.nowMs() - before
  }

  #say(line: number, { beginMs, lossPercent, mostJitterMs }: Side, payload: Uint8Array, isSilent: boolean): void {
    const numbers = this.#numbers[line]!
    const { sequence, timestamp } = numbers
    numbers.timestamp = (timestamp + TICKS) >>> 0
    if (this.#nowMs <= beginMs || isSilent) return
    numbers.sequence = (sequence + 1) & 0xffff
    if (this.#ids.integer(100) < lossPercent) return
    const packet = new Uint8Array(RTP_HEADER_BYTES + payload.length)
    writeRtpHeader(packet, 0, { payloadType: 0, marker: false, sequence, timestamp, ssrc: 100 + line })
    packet.set(payload, RTP_HEADER_BYTES)
    this.#due.push({ atMs: this.#nowMs + this.#ids.integer(mostJitterMs + 1), line, packet })
  }

  #deliver(nowMs: number): void {
    const due = this.#due.filter(({ atMs }) => atMs <= nowMs).sort((a, b) => a.atMs - b.atMs)
    if (due.length === 0) return
    const later = this.#due.filter(({ atMs }) => atMs > nowMs)
    this.#due.splice(0, this.#due.length, ...later)
    for (const { line, packet } of due) this.#ports.give(this.session.ports[line]!, packet)
  }

  /** Hangs up; by then so many milliseconds of the wall have gone by since the recording began. */
  async end(): Promise<{ wallMs: number; manifest: Manifest; channels: Int16Array[] }> {
    const endMs = this.bench.clock.wallMs()
    const { manifest, folder } = await this.bench.end(this.session)
    const wav = readWav(await readFile(join(folder, 'recording.wav')))
    assert.ok(wav.ok)
    return { wallMs: endMs - Date.parse(manifest.startedAt), manifest, channels: wav.value.samples }
  }
}

/** The ledger of each stream makes up the recording, without overlap. */
function assertLedgers({ streams, durationMs }: Manifest): void {
  for (const { channel, account, gaps } of streams) {
    const missingMs = Object.values(account!.missingMs).reduce((sum, ms) => sum + ms, 0)
    const sumMs = account!.audioMs + missingMs
    assert.ok(
      Math.abs(sumMs - durationMs!) < 1,
      `channel ${channel}: ${account!.audioMs} + ${missingMs} of ${durationMs}`,
    )
    let atMs = 0
    let listedMs = 0
    for (const { fromMs, toMs } of gaps) {
      assert.ok(fromMs >= atMs - 1e-6 && toMs > fromMs && toMs <= durationMs! + 1e-6, `gap ${fromMs} to ${toMs}`)
      listedMs += toMs - fromMs
      atMs = toMs
    }
    assert.ok(Math.abs(listedMs - missingMs) < 1, `channel ${channel}: ${listedMs} listed, ${missingMs} missing`)
  }
}

/** By how many milliseconds a channel is late against another one at a place of the recording. */
function apartAt(one: Int16Array, other: Int16Array, atMs: number): number {
  const part = (samples: Int16Array): Int16Array => samples.subarray(atMs * 8, (atMs + 1000) * 8)
  const { coefficient, lagSamples } = correlate(part(one), part(other), 200 * 8)
  assert.ok(coefficient > 0.3, `both say the same at ${atMs} ms: ${coefficient}`)
  return lagSamples / 8
}

test('SRS-54: with a hold, 5 % loss and jitter what is published is as long as the session was, within 20 ms, and its ledger says of what', async (t) => {
  const side = { beginMs: 0, lossPercent: 5, mostJitterMs: 30 }
  const call = await Call.open(t, side, side)
  call.speak(MINUTE_MS)
  await call.reoffer('inactive', 'inactive')
  call.speak(MINUTE_MS / 2, [0, 1])
  await call.reoffer('sendonly', 'sendonly')
  call.speak(MINUTE_MS)
  await call.reoffer('inactive', 'sendonly')
  call.speak(MINUTE_MS / 4, [0])
  await call.reoffer('sendonly', 'sendonly')
  call.speak(MINUTE_MS / 2)
  const { wallMs, manifest, channels } = await call.end()
  for (const { length } of channels) {
    assert.ok(Math.abs(length / 8 - wallMs) <= TOLERANCE_MS, `${length / 8} ms of ${wallMs} ms`)
  }
  assertLedgers(manifest)
  const [first, second] = manifest.streams.map(({ account }) => account!.missingMs)
  const pausedMs = [first!['paused-by-client'] ?? 0, second!['paused-by-client'] ?? 0]
  assert.ok(
    Math.abs(pausedMs[0]! - 0.75 * MINUTE_MS) < 200 && Math.abs(pausedMs[1]! - 0.5 * MINUTE_MS) < 200,
    `${pausedMs}`,
  )
  for (const { account } of manifest.streams) {
    const { lost = 0 } = account!.missingMs
    const share = lost / (lost + account!.audioMs)
    assert.ok(share > 0.03 && share < 0.07, `${share} lost`)
  }
  for (const atMs of [30_000, 100_000, 178_000]) {
    assert.ok(Math.abs(apartAt(channels[0]!, channels[1]!, atMs)) <= TOLERANCE_MS)
  }
})

test('RTP-12: a stream that begins seven seconds after the other one lies beside it from its first word on', async (t) => {
  const call = await Call.open(
    t,
    { beginMs: 300, lossPercent: 1, mostJitterMs: 40 },
    { beginMs: 7300, lossPercent: 1, mostJitterMs: 40 },
  )
  call.speak(30_000)
  const { wallMs, manifest, channels } = await call.end()
  assert.ok(Math.abs(channels[0]!.length / 8 - wallMs) <= TOLERANCE_MS)
  assertLedgers(manifest)
  const [begun] = manifest.streams[1]!.gaps
  assert.equal(begun?.cause, 'no-rtp-yet')
  assert.ok(Math.abs(begun.toMs - 7300) <= 2 * TOLERANCE_MS, `from ${begun.toMs} ms on`)
  for (const atMs of [7400, 12_000, 28_000]) {
    const apartMs = apartAt(channels[0]!, channels[1]!, atMs)
    assert.ok(Math.abs(apartMs) <= TOLERANCE_MS, `${apartMs} ms apart at ${atMs} ms`)
  }
})
