import assert from 'node:assert/strict'
import { test } from 'node:test'
import { catalogueRow } from '../../../test/harness/catalogue-row.ts'
import type { CatalogueRow } from '../catalogue/catalogue.ts'
import { logicalRecording, type TakenRow } from './logical-recording.ts'

const START_MS = 1_767_603_600_000
const NOW_MS = START_MS + 100_000

/** A take from one second of the call to another. */
function take(fromS: number, toS: number, ended?: string, changes: Partial<CatalogueRow> = {}): TakenRow {
  const times = {
    startedAtMs: START_MS + 1000 * fromS,
    endedAtMs: START_MS + 1000 * toS,
    durationMs: 1000 * (toS - fromS),
  }
  const row = catalogueRow(0, { recordingId: `${fromS}-${toS}`, ...times, ...changes })
  return { row, ...(ended !== undefined && { ended }) }
}

function gapsOf(...rows: TakenRow[]): unknown[] {
  return logicalRecording(rows, NOW_MS)!.gaps.map(({ fromMs, toMs, cause, after }) => [
    fromMs / 1000,
    toMs / 1000,
    cause,
    after,
  ])
}

test('SRS-53: takes stand in the order of their beginning, with what overlaps, what is missing, and how much there is', () => {
  const takes = [
    take(20, 30, 'remote-bye'),
    take(0, 10, 'remote-bye'),
    take(5, 12, 'remote-bye'),
    take(6, 8, 'remote-bye'),
  ]
  const whole = logicalRecording(takes, NOW_MS)
  assert.deepEqual(
    whole?.takes.map(({ row, number, fromMs, toMs, lane }) => [row.recordingId, number, fromMs, toMs, lane]),
    [
      ['0-10', 1, 0, 10_000, 0],
      ['5-12', 2, 5000, 12_000, 1],
      ['6-8', 3, 6000, 8000, 2],
      ['20-30', 4, 20_000, 30_000, 0],
    ],
  )
  assert.deepEqual(whole?.overlaps, [
    { fromMs: 5000, toMs: 10_000, takes: [1, 2] },
    { fromMs: 6000, toMs: 8000, takes: [1, 3] },
    { fromMs: 6000, toMs: 8000, takes: [2, 3] },
  ])
  assert.deepEqual(whole?.gaps, [{ fromMs: 12_000, toMs: 20_000, cause: 'client-ended', after: 2 }])
  assert.deepEqual([whole?.startedAtMs, whole?.endedAtMs], [START_MS, START_MS + 30_000])
  assert.deepEqual([whole?.durationMs, whole?.coveredMs], [30_000, 22_000])
})

test('SRS-53: one take alone is whole, none is nothing, and takes that follow at once leave no gap', () => {
  assert.equal(logicalRecording([], NOW_MS), undefined)
  const alone = logicalRecording([take(0, 10)], NOW_MS)
  assert.deepEqual([alone?.coveredMs, alone?.gaps, alone?.overlaps], [10_000, [], []])
  assert.deepEqual(gapsOf(take(0, 10), take(10, 20)), [])
})

for (const [what, before, next, cause] of [
  ['the recorder died', take(0, 10, undefined, { recovered: true }), take(12, 20), 'recorder-restart'],
  ['the recorder hung up', take(0, 10, 'local-bye'), take(12, 20), 'recorder-ended'],
  ['the client was heard no more', take(0, 10, 'gone'), take(12, 20), 'session-lost'],
  ['the connection was lost', take(0, 10, 'transport'), take(12, 20), 'session-lost'],
  ['another recorder took over', take(0, 10, 'gone'), take(12, 20, 'remote-bye', { store: 'second' }), 'failover'],
  ['the client hung up', take(0, 10, 'remote-bye'), take(12, 20), 'client-ended'],
  // It was taken up again after the restart, and ended in good order.
  ['the client hung up after a restart', take(0, 10, 'remote-bye', { recovered: true }), take(12, 20), 'client-ended'],
  ['nothing is known of the end', take(0, 10), take(12, 20), 'unknown'],
] as const) {
  test(`SRS-53: where ${what} between two takes, the gap is ${cause}`, () => {
    assert.deepEqual(gapsOf(before, next), [[10, 12, cause, 1]])
  })
}

test('SRS-53: times of which takes are deleted, or have no audio, are gaps of their own, unless another take has them', () => {
  const deleted = take(10, 20, undefined, { deletion: { reason: 'r', actor: 'a', atMs: 0 } })
  const silent = take(20, 25, 'gone', { state: 'no-audio', cause: 'no-rtp' })
  const bye = (fromS: number, toS: number) => take(fromS, toS, 'remote-bye')
  assert.deepEqual(gapsOf(bye(0, 10), deleted, silent, bye(30, 40)), [
    [10, 20, 'deleted', 1],
    [20, 25, 'no-audio', 2],
    [25, 30, 'session-lost', 3],
  ])
  assert.deepEqual(gapsOf(bye(0, 10), deleted, bye(10, 15), bye(20, 30)), [[15, 20, 'deleted', 2]])
  assert.deepEqual(gapsOf(deleted, silent), [
    [0, 10, 'deleted', undefined],
    [10, 15, 'no-audio', 1],
  ])
})

test('SRS-53: a take that is being received reaches to now, and the whole has no end yet', () => {
  const receiving = catalogueRow(0, {
    recordingId: 'live',
    startedAtMs: START_MS + 50_000,
    durationMs: 0,
    state: 'receiving',
  })
  const { endedAtMs: _none, ...row } = receiving
  const whole = logicalRecording([take(0, 40, 'remote-bye'), { row }], NOW_MS)
  assert.deepEqual([whole?.endedAtMs, whole?.durationMs, whole?.coveredMs], [undefined, 100_000, 90_000])
})
