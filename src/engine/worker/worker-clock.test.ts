import assert from 'node:assert/strict'
import test from 'node:test'
import { steadyClock, workerClock } from './worker-clock.ts'

const HOUR_MS = 3_600_000

test('the wall clock of a worker is that of the system, as all others tell it, also after it was set', (t) => {
  const now = Date.now
  for (const byMs of [0, HOUR_MS, -HOUR_MS]) {
    t.mock.method(Date, 'now', () => now() + byMs)
    assert.ok(Math.abs(workerClock.wallMs() - (now() + byMs)) < 1000, `set by ${byMs} ms`)
  }
})

test('what recorders are told of the time in reports goes on steadily over that', (t) => {
  const before = steadyClock.wallMs()
  t.mock.method(Date, 'now', () => before + HOUR_MS)
  assert.ok(steadyClock.wallMs() - before < 1000)
  assert.ok(steadyClock.wallMs() >= before)
})
