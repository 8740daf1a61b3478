import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { correlate, decodePcmu, encodePcmu, WAV_HEADER_BYTES } from '#audio'
import { seededIds } from '#kernel'
import { type BenchPacket, TrackBench } from '../../test/harness/track-bench.ts'

const PCMU = { payloadType: 0, encoding: 'PCMU/8000', clockRateHz: 8000 }
const HOURS_2_MS = 2 * 3_600_000
const REPORT_EVERY_MS = 5000
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
  /** Least time on its way. */
  readonly delayMs?: number
  /** What its wall clock says at a time; without it no reports are sent. */
  readonly wallMs?: (atMs: number) => number
}

/** A packet, and the report that comes with it. */
interface Sent {
  readonly packet: BenchPacket
  readonly wallMs: number | undefined
}

/** Packets of a sender that says the marks at their times of day, and silence else. */
function* packetsOf(sender: Sender, marks: readonly Uint8Array[], seed: number): Generator<Sent> {
  const ids = seededIds(seed)
  const durationMs = marks.length * MARK_EVERY_MS
  let reportedMs = 0
  for (let n = 0; ; n++) {
    // The sender cuts sound into packets by its own clock.
    const saidMs = (n * PACKET_MS) / (1 + sender.ppm / 1e6)
    if (saidMs > durationMs - PACKET_MS) return
    const inMarkMs = saidMs % MARK_EVERY_MS
    const mark = marks[Math.floor(saidMs / MARK_EVERY_MS)]!
    const from = Math.round(inMarkMs * 8)
    const payload = inMarkMs <= MARK_MS - PACKET_MS ? mark.subarray(from, from + TICKS) : SILENCE
    if (ids.integer(20) < (sender.lossOf20 ?? 0)) continue
    const arrivalMs = saidMs + PACKET_MS + (sender.delayMs ?? 0) + ids.integer(10 * sender.jitterMs + 1) / 10
    const isReported = sender.wallMs !== undefined && saidMs - reportedMs > REPORT_EVERY_MS
    if (isReported) reportedMs = saidMs
    const packet = { sequence: n, timestamp: n * TICKS + 0xfff0_0000, arrivalMs, payload }
    yield { packet, wallMs: isReported ? sender.wallMs?.(saidMs) : undefined }
  }
}

function marksOf(seed: number, durationMs: number): { samples: Int16Array; payload: Uint8Array }[] {
  const ids = seededIds(seed)
  return Array.from({ length: durationMs / MARK_EVERY_MS }, () => {
    const samples = Int16Array.from({ length: MARK_MS * 8 }, () => ids.integer(16_000) - 8000)
    return { samples, payload: encodePcmu(samples) }
  })
}

/** Sends two senders' packets in the order of their arrival. */
function talk(bench: TrackBench, senders: readonly Generator<Sent>[]): void {
  const next = senders.map((sender) => sender.next())
  for (;;) {
    let first = -1
    let firstMs = Number.POSITIVE_INFINITY
    for (const [index, { done, value }] of next.entries()) {
      if (done === true || value.packet.arrivalMs >= firstMs) continue
      first = index
      firstMs = value.packet.arrivalMs
    }
    if (first < 0) return
    const { packet, wallMs } = next[first]!.value as Sent
    bench.accept(first, packet)
    if (wallMs !== undefined) bench.tracks[first]!.onSenderReport(1, packet.timestamp >>> 0, wallMs)
    next[first] = senders[first]!.next()
  }
}

/** How much later, in milliseconds, the marks of a channel are than they were said. */
function latenessOf(folder: string, channel: number, marks: readonly { samples: Int16Array }[]): number[] {
  const bytes = readFileSync(join(folder, 'recording.wav'))
  const reachMs = 100
  return marks.flatMap(({ samples }, index) => {
    if (index % 12 !== 11 && index !== 2 && index !== marks.length - 1) return []
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

const WALL_MS = Date.UTC(2026, 0, 5)
const FAST: Sender = { ppm: 50, jitterMs: 5 }
const SLOW: Sender = { ppm: -50, jitterMs: 30, lossOf20: 1 }
const right = (atMs: number): number => WALL_MS + atMs

/** Records two senders; how late the marks of each channel are. */
async function record(t: TestContext, senders: readonly Sender[], durationMs: number) {
  const bench = new TrackBench(t, [[PCMU], [PCMU]])
  const marks = senders.map((_sender, index) => marksOf(index + 1, durationMs))
  const payloads = marks.map((list) => list.map(({ payload }) => payload))
  talk(
    bench,
    senders.map((sender, index) => packetsOf(sender, payloads[index]!, 7 + index)),
  )
  // What is under way when the call ends is taken, as the recorder does it.
  const endMs = Math.max(durationMs, ...bench.tracks.map((track) => track.endMs))
  const { manifest, folder } = await bench.publish(endMs)
  assert.ok(Math.abs(manifest.durationMs - durationMs) <= 20)
  for (const { account } of manifest.streams) {
    const missingMs = Object.values(account!.missingMs).reduce((sum, ms) => sum + ms, 0)
    assert.ok(Math.abs(account!.audioMs + missingMs - endMs) <= 20)
  }
  return { streams: manifest.streams, late: marks.map((list, channel) => latenessOf(folder, channel, list)) }
}

test('RTP-12, SRS-54: after two hours with 100 ppm between their clocks the channels are within one packet, without sender reports', async (t) => {
  const { streams, late } = await record(t, [FAST, SLOW], HOURS_2_MS)
  for (const [channel, { ppm }] of [FAST, SLOW].entries()) {
    assert.ok(
      late[channel]!.every((ms) => Math.abs(ms) <= 10),
      `channel ${channel}: ${late[channel]!.join(' ')}`,
    )
    const { clock } = streams[channel]!
    assert.ok(Math.abs(clock!.driftPpm - ppm) < 10, `${clock!.driftPpm} ppm measured`)
  }
})

test('RTP-12, META-32: sender reports show that one stream had the longer way, and it is put beside the other', async (t) => {
  const senders = [
    { ...FAST, wallMs: right },
    { ...SLOW, delayMs: 35, wallMs: right },
  ]
  const { streams, late } = await record(t, senders, 20 * 60_000)
  const apart = Math.abs(late[0]!.at(-1)! - late[1]!.at(-1)!)
  assert.ok(apart <= 5, `${late[0]!.join(' ')} and ${late[1]!.join(' ')}`)
  assert.ok(Math.abs(streams[0]!.clock!.senderWallMs! - WALL_MS) <= 100)
  assert.equal(streams[0]!.clock!.reportsContradict, false)
})

for (const [name, wallMs] of [
  ['is hours wrong', (atMs) => right(atMs) + 3 * 3_600_000],
  ['runs a thousandth too fast', (atMs) => right(atMs * 1.001)],
  ['jumps', (atMs) => right(atMs) + ((atMs * 7919) % 30)],
] as [string, (atMs: number) => number][]) {
  test(`RTP-12: sender reports whose clock ${name} move nothing`, async (t) => {
    const senders = [
      { ...FAST, wallMs: right },
      { ...SLOW, wallMs },
    ]
    const { late } = await record(t, senders, 20 * 60_000)
    for (const list of late)
      assert.ok(
        list.slice(1).every((ms) => Math.abs(ms) <= 20),
        list.join(' '),
      )
  })
}
