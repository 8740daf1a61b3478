import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { testDisk } from '../../test/harness/test-disk.ts'
import { GapLedger } from './gap-ledger.ts'
import type { RunMove } from './run-move.ts'
import { RunTime } from './run-time.ts'
import { StreamFiles } from './stream-files.ts'
import { indexFileName, streamFromIndex } from './stream-index.ts'

const PCMU = { encoding: 'PCMU/8000', clockRateHz: 8000 }

function moveOf(fromMs: number, byMs: number): RunMove {
  return { fromMs, byMs, cause: 'no-rtp-yet', startMs: 0, bends: [] }
}

test('what was said earlier than it was taken for takes the gap before it, cause by cause, and those behind it with it', () => {
  const ledger = new GapLedger()
  ledger.add({ fromMs: 0, toMs: 400, cause: 'no-rtp-yet' })
  ledger.add({ fromMs: 400, toMs: 500, cause: 'hold' })
  ledger.add({ fromMs: 700, toMs: 720, cause: 'lost' })
  ledger.move(moveOf(500, -150))
  assert.deepEqual(ledger.gaps, [
    { fromMs: 0, toMs: 350, cause: 'no-rtp-yet' },
    { fromMs: 550, toMs: 570, cause: 'lost' },
  ])
  assert.deepEqual(ledger.missingMs, { 'no-rtp-yet': 350, hold: 0, lost: 20 })
})

test('what was said later leaves more of the gap before it, or a gap where there was none', () => {
  const ledger = new GapLedger()
  ledger.add({ fromMs: 100, toMs: 500, cause: 'dtx' })
  ledger.add({ fromMs: 700, toMs: 720, cause: 'lost' })
  ledger.move(moveOf(500, 100))
  assert.deepEqual(ledger.gaps, [
    { fromMs: 100, toMs: 600, cause: 'dtx' },
    { fromMs: 800, toMs: 820, cause: 'lost' },
  ])
  const empty = new GapLedger()
  empty.move(moveOf(0, 100))
  assert.deepEqual(empty.gaps, [{ fromMs: 0, toMs: 100, cause: 'no-rtp-yet' }])
})

test('gaps that are settled, or beyond the list, count as they did', () => {
  const ledger = new GapLedger()
  ledger.add({ fromMs: 0, toMs: 1000, cause: 'no-rtp-yet' })
  for (let n = 0; n < 200; n++) ledger.add({ fromMs: 1010 + n * 20, toMs: 1015 + n * 20, cause: 'lost' })
  ledger.move(moveOf(1000, -200))
  assert.deepEqual(ledger.gaps[0], { fromMs: 0, toMs: 800, cause: 'no-rtp-yet' })
  assert.deepEqual(ledger.gaps[200], { fromMs: 810 + 199 * 20, toMs: 815 + 199 * 20, cause: 'lost' })
  assert.deepEqual(ledger.missingMs, { 'no-rtp-yet': 800, lost: 1000 })
})

test('silence of a run becomes shorter or longer without a break, and what follows keeps its pace', () => {
  for (const byMs of [-90, 250]) {
    const time = new RunTime({ startMs: 1000, clockRateHz: 8000 })
    time.shift(800, 1600, byMs)
    assert.equal(time.msOf(800), 1100)
    assert.equal(time.msOf(1600), 1200 + byMs)
    assert.equal(time.msOf(2400), 1300 + byMs)
    for (let at = 1; at < 2400; at++) assert.ok(time.msOf(at) > time.msOf(at - 1))
    for (const at of [0, 700, 800, 1200, 1600, 2000]) assert.ok(Math.abs(time.positionOf(time.msOf(at)) - at) < 1e-6)
  }
})

test('a move is in the manifest, and in what the index tells after a crash', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'move-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const files = new StreamFiles(testDisk(), folder, 0, undefined)
  files.startWavRun(PCMU, 'pcmu', 900)
  files.addGap({ fromMs: 0, toMs: 1000, cause: 'no-rtp-yet' })
  const bends = new RunTime({ startMs: 800, clockRateHz: 8000 }).shift(0, 800, -50)
  files.move({ fromMs: 1000, byMs: -150, cause: 'no-rtp-yet', startMs: 800, bends })
  files.addBend({ position: 80_000, ms: 10_000, ppm: 7 })
  const { runs, gaps } = await files.close()
  assert.deepEqual(gaps, [{ fromMs: 0, toMs: 850, cause: 'no-rtp-yet' }])
  assert.equal(runs[0]!.startMs, 800)
  assert.deepEqual(runs[0]!.clock, [...bends, { position: 80_000, ms: 10_000, ppm: 7 }])
  const told = streamFromIndex(readFileSync(join(folder, indexFileName(0)), 'utf8'))!
  assert.deepEqual(told.gaps, gaps)
  assert.deepEqual(
    told.runs,
    runs.map((run) => ({ ...run, bytes: 0 })),
  )
})
