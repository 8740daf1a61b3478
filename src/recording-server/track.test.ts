import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { correlate, encodePcmu, readWav } from '#audio'
import { seededIds } from '#kernel'
import { readRawRun } from '#store'
import { TrackBench } from '../../test/harness/track-bench.ts'

const PCMU = { payloadType: 0, encoding: 'PCMU/8000', clockRateHz: 8000 }
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
  const bench = new TrackBench(t, [[PCMU]])
  const ids = seededIds(7)
  const source = Int16Array.from({ length: 60 * 8000 }, () => ids.integer(16_000) - 8000)
  const payload = encodePcmu(source)
  const track = bench.tracks[0]!
  const changes: [atMs: number, cause: 'hold' | 'paused-here', isOn: boolean][] = [
    [10_000, 'hold', true],
    [20_000, 'hold', false],
    [30_000, 'paused-here', true],
    [35_000, 'paused-here', false],
  ]
  const expected = { lost: 0, dtx: 2000, hold: 10_000, 'paused-here': 5000 }
  let sequence = 0
  for (let n = 0; n < 3000; n++) {
    const atMs = n * 20
    if (changes[0] !== undefined && atMs >= changes[0][0]) {
      const [at, cause, isOn] = changes.shift()!
      track.setPaused(cause, isOn, at)
    }
    const isHeld = atMs >= 10_000 && atMs < 20_000
    const isSilent = atMs >= 45_000 && atMs < 47_000
    if (isHeld || isSilent) continue
    sequence += 1
    const isLost = ids.integer(20) === 0
    const isDiscarded = atMs >= 30_000 && atMs < 35_000
    if (isLost && !isDiscarded) expected.lost += 20
    if (isLost) continue
    // Up to 15 ms of jitter; what is sent at the time of a change arrives behind it.
    const arrivalMs = atMs + 20 + ids.integer(15)
    bench.accept(0, { sequence, timestamp: n * 160, arrivalMs, payload: payload.subarray(n * 160, n * 160 + 160) })
  }
  const { manifest, folder } = await bench.publish(60_020)
  assert.ok(Math.abs(manifest.durationMs - 60_000) <= 20)
  const { account, gaps } = manifest.streams[0]!
  const missing = Object.entries(expected).map(([cause, ms]) => {
    const found = account!.missingMs[cause as keyof typeof expected] ?? 0
    return [cause, Math.abs(found - ms) <= 40 ? ms : found] as const
  })
  assert.deepEqual(Object.fromEntries(missing), expected)
  assert.ok(gaps.filter(({ cause }) => cause === 'lost').length > 50)
  const wav = readWav(readFileSync(join(folder, 'recording.wav')))
  assert.ok(wav.ok)
  const heard = wav.value.samples[0]!
  assert.ok(Math.abs(heard.length - 60 * 8000) <= 160, `${heard.length} samples`)
  for (const seconds of [2, 22, 37, 50, 57]) {
    const part = (samples: Int16Array) => samples.slice(seconds * 8000, (seconds + 2) * 8000)
    const { coefficient, lagSamples } = correlate(part(source), part(heard), 400)
    assert.ok(coefficient > 0.9 && Math.abs(lagSamples) <= 160, `${coefficient} at ${lagSamples}, second ${seconds}`)
  }
})
