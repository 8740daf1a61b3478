import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { readRawRun } from '#store'
import { TrackBench } from '../../test/harness/track-bench.ts'

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
