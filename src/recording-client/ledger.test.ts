import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '#kernel'
import { Ledger, type LedgerRow } from './ledger.ts'

const RECORDER = 'sip:srs.example'

/** Gaps of the only row in seconds since the beginning, and their sum. */
function told([row]: readonly LedgerRow[], beganMs: number): unknown {
  assert.ok(row)
  const seconds = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : (ms - beganMs) / 1000)
  return [row.gaps.map(({ reason, fromMs, toMs }) => [reason, seconds(fromMs), seconds(toMs)]), row.gapMs / 1000]
}

function opened(): { readonly clock: ManualClock; readonly ledger: Ledger; readonly beganMs: number } {
  const clock = new ManualClock()
  const ledger = new Ledger(clock)
  ledger.asked(RECORDER)
  return { clock, ledger, beganMs: clock.wallMs() }
}

test('a gap that began before it was known leaves the gaps since then what they are, and counts nothing twice', () => {
  const { clock, ledger, beganMs } = opened()
  clock.advance(10_000)
  ledger.gapBegins(RECORDER, 'pause')
  clock.advance(5_000)
  ledger.gapEnds(RECORDER)
  clock.advance(5_000)
  ledger.gapBegins(RECORDER, 'pause')
  clock.advance(5_000)
  ledger.gapBegins(RECORDER, 'lost', beganMs + 4_000)
  clock.advance(2_000)
  assert.deepEqual(told(ledger.rows, beganMs), [
    [
      ['lost', 4, 10],
      ['pause', 10, 15],
      ['lost', 15, 20],
      ['pause', 20, 25],
      ['lost', 25, undefined],
    ],
    23,
  ])
  ledger.close()
  assert.deepEqual((told(ledger.rows, beganMs) as unknown[])[1], 23)
})

test('a gap that began within another one, or after the last, begins there', () => {
  const { clock, ledger, beganMs } = opened()
  ledger.gapBegins(RECORDER, 'pause')
  clock.advance(5_000)
  ledger.gapEnds(RECORDER)
  clock.advance(5_000)
  ledger.gapBegins(RECORDER, 'lost', beganMs + 3_000)
  ledger.gapBegins(RECORDER, 'lost', beganMs)
  clock.advance(1_000)
  ledger.gapBegins(RECORDER, 'gone', beganMs + 8_000)
  assert.deepEqual(told(ledger.rows, beganMs), [
    [
      ['pause', 0, 5],
      ['lost', 5, 11],
      ['gone', 11, undefined],
    ],
    11,
  ])
})

test('a system clock that is set back makes no gap of the time that is to come again', () => {
  const { clock, ledger, beganMs } = opened()
  clock.advance(60_000)
  ledger.gapBegins(RECORDER, 'pause')
  clock.advance(1_000)
  ledger.gapEnds(RECORDER)
  const wallMs = clock.wallMs.bind(clock)
  clock.wallMs = () => wallMs() - 50_000
  ledger.gapBegins(RECORDER, 'lost', clock.wallMs() - 2_000)
  assert.deepEqual(told(ledger.rows, beganMs), [
    [
      ['pause', 60, 61],
      ['lost', 9, undefined],
    ],
    3,
  ])
})
