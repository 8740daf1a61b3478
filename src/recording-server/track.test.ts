import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type GapCause, readRawRun } from '#store'
import { LOSSY_MS, recordLossyTalk } from '../../test/harness/lossy-talk.ts'
import { TrackBench } from '../../test/harness/track-bench.ts'

const PCMU = { payloadType: 0, encoding: 'PCMU/8000', clockRateHz: 8000 }
const RED = { payloadType: 121, encoding: 'RED/8000', clockRateHz: 8000 }
const KEYS = { payloadType: 101, encoding: 'TELEPHONE-EVENT/8000', clockRateHz: 8000 }
const NOISE = { payloadType: 13, encoding: 'CN/8000', clockRateHz: 8000 }
const OPUS = { payloadType: 96, encoding: 'OPUS/48000/2', clockRateHz: 48_000 }
/** First byte of an Opus packet of one CELT frame of 20 ms. */
const CELT_20_MS = 0xf8

test('a loss in a codec that we do not decode is in the ledger, and what follows it is where it belongs', async (t) => {
  const bench = new TrackBench(t, [[OPUS]])
  for (let n = 0; n < 50; n++) {
    if (n >= 20 && n < 25) continue
    const payload = Uint8Array.of(CELT_20_MS, n)
    bench.accept(0, { sequence: n, timestamp: n * 960, arrivalMs: 20 + n * 20, payload, payloadType: 96 })
  }
  const { manifest, folder } = await bench.publish(1000)
  const { runs, gaps } = manifest.streams[0]!
  assert.deepEqual(gaps, [{ fromMs: 400, toMs: 500, cause: 'lost' }])
  const run = runs[0]!
  const records = [...readRawRun(join(folder, run.file), run)]
  assert.equal(records.length, 45)
  for (const { payload, position } of records) assert.equal(run.startMs + position / 48, payload[1]! * 20)
})

test('SRS-54: with a hold, a pause of ours, silence suppression and 5 % loss a call is as long as it was, and each gap has its cause', async (t) => {
  const { manifest, expectedMs, samples, pieces } = await recordLossyTalk(t, 7)
  assert.ok(Math.abs(manifest.durationMs - LOSSY_MS) <= 20)
  const { account, gaps } = manifest.streams[0]!
  const missing = Object.entries(expectedMs).map(([cause, ms]) => {
    const found = account!.missingMs[cause as GapCause] ?? 0
    return [cause, Math.abs(found - ms) <= 40 ? ms : found] as const
  })
  assert.deepEqual(Object.fromEntries(missing), expectedMs)
  assert.ok(gaps.filter(({ cause }) => cause === 'lost').length > 50)
  assert.ok(Math.abs(samples - LOSSY_MS * 8) <= 160, `${samples} samples`)
  assert.equal(pieces.length, 5)
  for (const { second, coefficient, lagSamples } of pieces) {
    assert.ok(coefficient > 0.9 && Math.abs(lagSamples) <= 160, `${coefficient} at ${lagSamples}, second ${second}`)
  }
})

/** Packets of 20 ms that are heard in the recording, by their number: their octets are not those of silence. */
function packetsHeard(folder: string): number[] {
  const octets = readFileSync(join(folder, 'recording.wav')).subarray(-3000 * 8)
  const isHeard = (n: number) => octets.subarray(n * 160, n * 160 + 160).some((octet) => octet !== 0xff)
  return Array.from({ length: 150 }, (_, n) => n).filter(isHeard)
}

const said = (n: number) => new Uint8Array(160).fill(n)
const saidIn = (heard: number[], from: number, to: number) => heard.filter((n) => n >= from && n < to)

test('what was said in a pause of ours and the network held up until it was over is not kept', async (t) => {
  const bench = new TrackBench(t, [[PCMU]])
  for (let n = 0; n < 150; n++) {
    if (n === 50) bench.tracks[0]!.setPaused('paused-here', true, 1000)
    if (n === 80) bench.tracks[0]!.setPaused('paused-here', false, 2000)
    const arrivalMs = n >= 80 && n < 101 ? 2030 : 20 + n * 20
    bench.accept(0, { sequence: n, timestamp: n * 160, arrivalMs, payload: said(n) })
  }
  const heard = packetsHeard((await bench.publish(3000)).folder)
  assert.deepEqual([saidIn(heard, 50, 100), saidIn(heard, 101, 150).length], [[], 49])
})

test('redundancy does not bring back what was said in a pause of ours (RFC 2198)', async (t) => {
  const bench = new TrackBench(t, [[RED, PCMU]])
  for (let n = 0; n < 150; n++) {
    if (n === 50) bench.tracks[0]!.setPaused('paused-here', true, 1000)
    if (n === 100) bench.tracks[0]!.setPaused('paused-here', false, 2000)
    const header = n === 0 ? [0] : [0x80, 160 >> 6, ((160 & 0x3f) << 2) | 0, 160, 0]
    const payload = Uint8Array.of(...header, ...(n === 0 ? [] : said(n - 1)), ...said(n))
    bench.accept(0, { sequence: n, timestamp: n * 160, arrivalMs: 20 + n * 20, payload, payloadType: 121 })
  }
  const heard = packetsHeard((await bench.publish(3000)).folder)
  assert.deepEqual([saidIn(heard, 50, 100), saidIn(heard, 100, 150).length], [[], 50])
})

/** A key as its own packets have it: 5, and for how many ticks it is pressed. */
const keyOf = (ticks: number, isEnd: boolean): number[] => [5, isEnd ? 0x8a : 10, ticks >> 8, ticks & 0xff]

/** A redundant packet whose newest block is of a key, and the one before it again. */
const redundantKey = (n: number, isEnd: boolean): Uint8Array =>
  Uint8Array.of(0x80 | 101, 0, 0, 4, 101, ...keyOf((n - 1) * 160, false), ...keyOf(n * 160, isEnd))

test('a key inside redundant packets is an event without its digit, and neither audio nor a file (RFC 2198, RFC 4733)', async (t) => {
  const bench = new TrackBench(t, [[RED, PCMU, KEYS]])
  for (let n = 0; n < 40; n++) {
    const isKey = n >= 10 && n < 20
    const payload = isKey ? redundantKey(n - 9, n >= 17) : Uint8Array.of(0, ...said(n))
    const timestamp = (isKey ? 10 : n) * 160
    bench.accept(0, { sequence: n, timestamp, arrivalMs: 20 + n * 20, payload, payloadType: 121 })
  }
  const { manifest, folder } = await bench.publish(3000)
  const [stream] = manifest.streams
  assert.deepEqual(
    stream!.runs.map(({ encoding }) => encoding),
    ['PCMU/8000'],
  )
  assert.deepEqual(
    stream!.events.map((event) => 'digit' in event),
    [false],
  )
  assert.equal(stream!.account!.audioMs, 30 * 20)
  assert.equal(packetsHeard(folder).length, 30)
})

test('a key that was pressed in a pause of ours is not kept out of redundant packets either', async (t) => {
  const bench = new TrackBench(t, [[RED, PCMU, KEYS]])
  const key = (n: number, timestamp: number, arrivalMs: number) => {
    const payload = redundantKey(n, n >= 6)
    bench.accept(0, { sequence: n, timestamp, arrivalMs, payload, payloadType: 121 })
  }
  bench.accept(0, { sequence: 0, timestamp: 0, arrivalMs: 20, payload: Uint8Array.of(0, ...said(1)), payloadType: 121 })
  bench.tracks[0]!.setPaused('paused-here', true, 500)
  for (let n = 1; n <= 5; n++) key(n, 8000, 1000 + n * 20)
  bench.tracks[0]!.setPaused('paused-here', false, 1115)
  for (let n = 6; n <= 8; n++) key(n, 8000, 1114 + n)
  const { manifest } = await bench.publish(3000)
  assert.equal(manifest.streams[0]!.events.length, 0)
  assert.equal(manifest.streams[0]!.runs.length, 1)
})

test('comfort noise is silence with its cause, and what is said around it is byte for byte where it was said (RFC 3389)', async (t) => {
  const bench = new TrackBench(t, [[PCMU, NOISE]])
  for (let n = 0; n < 150; n++) {
    const isQuiet = n >= 50 && n < 100
    // While nobody speaks the level is told each 200 ms.
    if (isQuiet && n % 10 !== 0) continue
    const sequence = n < 50 ? n : isQuiet ? 50 + (n - 50) / 10 : n - 45
    const packet = { sequence, timestamp: n * 160, arrivalMs: 20 + n * 20 }
    if (isQuiet) bench.accept(0, { ...packet, payload: Uint8Array.of(60), payloadType: 13 })
    else bench.accept(0, { ...packet, payload: said(n) })
  }
  const { manifest, folder } = await bench.publish(3000)
  const [stream] = manifest.streams
  assert.deepEqual(stream!.gaps, [{ fromMs: 1000, toMs: 2000, cause: 'dtx' }])
  assert.equal(stream!.runs.length, 1)
  const octets = readFileSync(join(folder, 'recording.wav')).subarray(-3000 * 8)
  for (let n = 0; n < 150; n++) {
    const heard = octets.subarray(n * 160, n * 160 + 160)
    const expected = n >= 50 && n < 100 ? new Uint8Array(160).fill(0xff) : said(n)
    assert.ok(heard.equals(expected), `packet ${n}`)
  }
})

test('a stream whose RTP time stood still in a pause of ours is kept behind it', async (t) => {
  const bench = new TrackBench(t, [[PCMU]])
  for (let n = 0; n < 100; n++) {
    if (n === 50) bench.tracks[0]!.setPaused('paused-here', true, 1000)
    if (n === 52) bench.tracks[0]!.setPaused('paused-here', false, 2500)
    const arrivalMs = n < 52 ? 20 + n * 20 : 2520 + (n - 52) * 20
    bench.accept(0, { sequence: n, timestamp: n * 160, arrivalMs, payload: said(n) })
  }
  const { manifest } = await bench.publish(4000)
  assert.equal(manifest.streams[0]!.account!.audioMs, 98 * 20)
})

test('a key that was pressed in a pause of ours is not kept, though its end comes behind it', async (t) => {
  const bench = new TrackBench(t, [[PCMU, KEYS]])
  const key = (sequence: number, timestamp: number, isEnd: boolean, arrivalMs: number) => {
    const payload = Uint8Array.of(5, isEnd ? 0x8a : 10, 3, 0xc0)
    bench.accept(0, { sequence, timestamp, arrivalMs, payload, payloadType: 101 })
  }
  bench.accept(0, { sequence: 0, timestamp: 0, arrivalMs: 20, payload: said(1) })
  bench.tracks[0]!.setPaused('paused-here', true, 500)
  for (let n = 1; n <= 5; n++) key(n, 8000, false, 1000 + n * 20)
  bench.tracks[0]!.setPaused('paused-here', false, 1115)
  for (let n = 6; n <= 8; n++) key(n, 8000, true, 1114 + n)
  for (let n = 9; n <= 11; n++) key(n, 16_000, true, 2114 + n)
  const { manifest } = await bench.publish(3000)
  assert.equal(manifest.streams[0]!.events.length, 1)
})

for (const isHeardBefore of [true, false]) {
  test(`what a client sends in a pause that it announced is ${isHeardBefore ? 'counted, and not kept' : 'kept where it had sent nothing before'}`, async (t) => {
    const bench = new TrackBench(t, [[PCMU]])
    if (!isHeardBefore) bench.tracks[0]!.setPaused('paused-by-client', true, 0)
    for (let n = 0; n < 150; n++) {
      if (isHeardBefore && n === 50) bench.tracks[0]!.setPaused('paused-by-client', true, 1000)
      if (isHeardBefore && n === 100) bench.tracks[0]!.setPaused('paused-by-client', false, 2000)
      bench.accept(0, { sequence: n, timestamp: n * 160, arrivalMs: 20 + n * 20, payload: said(n) })
    }
    const { discarded } = bench.tracks[0]!
    const { manifest, folder } = await bench.publish(3000)
    const heard = packetsHeard(folder)
    assert.deepEqual(
      [saidIn(heard, 50, 100).length, heard.length, discarded],
      isHeardBefore ? [0, 100, 50] : [50, 150, 0],
    )
    const gaps = isHeardBefore ? [{ fromMs: 1000, toMs: 2000, cause: 'paused-by-client' }] : []
    assert.deepEqual(manifest.streams[0]!.gaps, gaps)
  })
}
