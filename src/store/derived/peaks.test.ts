import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { plainFiles } from '../sealing/recording-files.ts'
import { PeakOutput, readPeaks } from './peaks.ts'

const RATE = 8000

function pathFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'peaks-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return join(folder, 'peaks.dat')
}

/** Two channels: silence, then a square wave in the second half of the first; a constant in the second. */
function write(path: string, seconds: number, step: number): void {
  const output = new PeakOutput(plainFiles.output(path), { sampleRateHz: RATE, channels: 2 })
  const frames = seconds * RATE
  for (let from = 0; from < frames; from += step) {
    const count = Math.min(step, frames - from)
    const left = Int16Array.from({ length: count }, (_u, i) => (from + i < frames / 2 ? 0 : i % 2 ? 16_384 : -8192))
    output.write([left, new Int16Array(count).fill(256)])
  }
  output.close()
}

test('least and greatest samples of each part are kept, whatever the blocks were', async (t) => {
  const path = pathFor(t)
  for (const step of [160, 1000, 16_384]) {
    write(path, 2, step)
    const peaks = await readPeaks(path, { buckets: 2 })
    assert.deepEqual(
      peaks,
      {
        channels: 2,
        fromMs: 0,
        toMs: 2000,
        values: [
          [0, 0, -32, 64],
          [0, 1, 0, 1],
        ],
      },
      `${step}`,
    )
  }
})

test('a part of the recording is read alone, and no finer than it is stored', async (t) => {
  const path = pathFor(t)
  write(path, 2, 500)
  const part = await readPeaks(path, { fromMs: 900, toMs: 1100, buckets: 1000 })
  assert.equal(part?.values[0]?.length, 20)
  assert.deepEqual([part.fromMs, part.toMs], [900, 1100])
  assert.deepEqual(part.values[0]?.slice(8, 12), [0, 0, -32, 64])
  const beyond = await readPeaks(path, { fromMs: 5000, buckets: 10 })
  assert.deepEqual(beyond?.values, [[], []])
})

test('a file that is missing, cut off, or something else gives no peaks and no error', async (t) => {
  const path = pathFor(t)
  assert.equal(await readPeaks(path, { buckets: 10 }), undefined)
  write(path, 1, 500)
  truncateSync(path, 9)
  assert.equal(await readPeaks(path, { buckets: 10 }), undefined)
  writeFileSync(path, 'RIFF and so on, for a while')
  assert.equal(await readPeaks(path, { buckets: 10 }), undefined)
})
