import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Gap, Manifest } from '#store'
import { ledgerOf } from './recording-documents.ts'

/** What is told of a stream that so much was missing in all, with these gaps in its list. */
function unlistedMs(gaps: readonly Gap[], missingMs?: Readonly<Record<string, number>>): number | undefined {
  const stream = { channel: 0, participants: [], runs: [], gaps, events: [], totals: { pauses: [] } }
  const account = missingMs === undefined ? {} : { account: { audioMs: 100, missingMs } }
  return ledgerOf({ streams: [{ ...stream, ...account }] } as unknown as Manifest).streams[0]?.unlistedMs
}

test('a ledger says of how long the gaps are that its list has no room for', () => {
  const gaps: Gap[] = Array.from({ length: 10 }, (_, n) => ({ fromMs: n * 20.25, toMs: n * 20.25 + 5, cause: 'lost' }))
  assert.equal(unlistedMs(gaps, { lost: 75, dtx: 20 }), 45)
  assert.equal(unlistedMs(gaps, { lost: 50.000001 }), undefined)
  assert.equal(unlistedMs(gaps), undefined)
})
