import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { NO_TOTALS, type StreamManifest } from './manifest.ts'
import { tidyTimes } from './tidy-times.ts'

const EMPTY: StreamManifest = { channel: 0, participants: [], runs: [], gaps: [], events: [], totals: NO_TOTALS }

test('times have at most one decimal, and lie within the recording', () => {
  const time = fc.double({ min: 0, max: 20_000, noNaN: true })
  fc.assert(
    fc.property(fc.array(fc.tuple(time, time)), fc.integer({ min: 0, max: 15_000 }), (pairs, durationMs) => {
      const { gaps, totals } = tidyTimes(
        {
          ...EMPTY,
          gaps: pairs.map(([a, b]) => ({ fromMs: Math.min(a, b), toMs: Math.max(a, b), cause: 'lost' })),
          totals: { ...NO_TOTALS, pauses: pairs.map(([fromMs, toMs]) => ({ fromMs, toMs, packets: 0 })) },
        },
        durationMs,
      )
      assert.equal(totals.pauses.length, pairs.length)
      for (const { fromMs, toMs } of gaps) assert.ok(fromMs < toMs)
      for (const { fromMs, toMs = 0 } of [...gaps, ...totals.pauses]) {
        for (const ms of [fromMs, toMs]) {
          assert.ok(ms <= durationMs)
          assert.match(String(ms), /^\d+(?:\.\d)?$/)
        }
      }
    }),
  )
})

test('a gap that is cut by the end ends there, one beyond it is left out, and an open pause stays open', () => {
  const { gaps, totals } = tidyTimes(
    {
      ...EMPTY,
      gaps: [
        { fromMs: 100.0625, toMs: 1000.4375, cause: 'no-rtp' },
        { fromMs: 1000.125, toMs: 1000.25, cause: 'no-rtp' },
      ],
      totals: { ...NO_TOTALS, pauses: [{ fromMs: 12.345, packets: 3 }] },
    },
    1000,
  )
  assert.deepEqual(gaps, [{ fromMs: 100.1, toMs: 1000, cause: 'no-rtp' }])
  assert.deepEqual(totals.pauses, [{ fromMs: 12.3, packets: 3 }])
})
