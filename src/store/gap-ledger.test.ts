import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GapLedger } from './gap-ledger.ts'

test('what was lost and then came is late, and all else stays what it was', () => {
  const ledger = new GapLedger()
  ledger.add({ fromMs: 0, toMs: 100, cause: 'no-rtp-yet' })
  ledger.add({ fromMs: 200, toMs: 300, cause: 'lost' })
  ledger.add({ fromMs: 220, toMs: 240, cause: 'late' })
  ledger.add({ fromMs: 50, toMs: 60, cause: 'late' })
  assert.deepEqual(ledger.gaps, [
    { fromMs: 0, toMs: 100, cause: 'no-rtp-yet' },
    { fromMs: 200, toMs: 220, cause: 'lost' },
    { fromMs: 220, toMs: 240, cause: 'late' },
    { fromMs: 240, toMs: 300, cause: 'lost' },
  ])
  assert.deepEqual(ledger.missingMs, { 'no-rtp-yet': 100, lost: 80, late: 20 })
})

test('what the disk did not take counts where there was audio, between the gaps that are known', () => {
  const ledger = new GapLedger()
  ledger.add({ fromMs: 100, toMs: 200, cause: 'dtx' })
  ledger.add({ fromMs: 400, toMs: 500, cause: 'lost' })
  ledger.add({ fromMs: 150, toMs: 600, cause: 'disk' })
  assert.deepEqual(ledger.gaps, [
    { fromMs: 100, toMs: 200, cause: 'dtx' },
    { fromMs: 200, toMs: 400, cause: 'disk' },
    { fromMs: 400, toMs: 500, cause: 'lost' },
    { fromMs: 500, toMs: 600, cause: 'disk' },
  ])
  assert.deepEqual(ledger.missingMs, { dtx: 100, lost: 100, disk: 300 })
})

test('gaps that follow each other for one cause are one, and sums are exact beyond what is listed', () => {
  const ledger = new GapLedger()
  ledger.add({ fromMs: 0, toMs: 10, cause: 'dtx' })
  ledger.add({ fromMs: 10, toMs: 15, cause: 'dtx' })
  for (let n = 1; n <= 12_000; n++) ledger.add({ fromMs: n * 20, toMs: n * 20 + 5, cause: 'lost' })
  assert.deepEqual(ledger.gaps[0], { fromMs: 0, toMs: 15, cause: 'dtx' })
  assert.equal(ledger.gaps.length, 10_000)
  assert.deepEqual(ledger.missingMs, { dtx: 15, lost: 60_000 })
})
