import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { NO_TOTALS, plainFiles, RecordingFolder } from '#store'
import { littleKnown } from '../../test/harness/attested-store.ts'
import { testDisk } from '../../test/harness/test-disk.ts'
import { textOf } from './text-lines.ts'

const CLOCK_HZ = 1000

/** Lines of what each writer typed, block by block: when, and what. */
async function linesOf(t: TestContext, writers: readonly (readonly (readonly [atMs: number, text: string])[])[]) {
  const root = mkdtempSync(join(tmpdir(), 'text-'))
  t.after(() => rmSync(root, { recursive: true }))
  const folder = new RecordingFolder(testDisk(), root, 'r1', 0, littleKnown)
  for (const blocks of writers) {
    const run = folder.addStream(undefined, 'text').startRawRun({ encoding: 'T140/1000', clockRateHz: CLOCK_HZ }, 500)
    for (const [sequence, [atMs, text]] of blocks.entries()) {
      const position = atMs - 500
      const about = {
        payloadType: 98,
        marker: false,
        sequence,
        timestamp: position,
        ssrc: 1,
        arrivalMs: atMs,
        position,
      }
      run.append({ ...about, payload: new TextEncoder().encode(text) })
    }
  }
  const totals = writers.map(() => NO_TOTALS)
  const closing = { endedAtMs: 9_500_000, durationMs: 9_500_000, totals, noAudioCause: 'no-rtp' as const }
  const { manifest, folder: path } = await folder.publish(closing)
  return textOf(manifest, (file) => join(path, file), plainFiles)
}

test('what two type is a line each, in the order in which they were begun, with what was rubbed out left out', async (t) => {
  const lines = await linesOf(t, [
    [
      [1000, '\ufeffHell'],
      [1300, 'p\b'],
      [1600, 'o\u2028'],
      [9_000_000, 'Later\r\n'],
    ],
    [
      [1200, 'G\u0007r\u00fc\u00df'],
      [1500, ' dich\n\n'],
      [1900, 'x\b\b'],
    ],
  ])
  assert.equal(lines, '0:00:01.0 Alice: Hello\n0:00:01.2 Bob: Gr\u00fc\u00df dich\n2:30:00.0 Alice: Later\n')
})

test('a recording without a stream of text has no lines', async (t) => {
  assert.equal(await linesOf(t, []), undefined)
})
