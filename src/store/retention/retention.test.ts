import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ManualClock, silentLogger } from '#kernel'
import { catalogueRow as row } from '../../../test/harness/catalogue-row.ts'
import { openCatalogueAndJobs } from '../catalogue/open-database.ts'
import { writeNotes } from '../library/notes-file.ts'
import { FolderLibrary } from '../library/recording-library.ts'
import { RecordingStore } from '../recording-store.ts'
import { applyRetention, planRetention } from './retention.ts'
import { dueRule, latestDueMs, type RetentionRule } from './rules.ts'

const DAY_MS = 86_400_000
const rules: readonly RetentionRule[] = [
  { name: 'contract', tag: 'Contract' },
  { name: 'silent', state: 'no-audio', afterDays: 7 },
  { name: 'sales', custom: { Queue: 'sales' }, afterDays: 30 },
  { name: 'bank', party: '+49 30 12', afterDays: 3650 },
  { name: 'rest', afterDays: 90 },
]

test('the first rule that fits decides: by tag, state, custom value, party, age; without days it keeps for good', () => {
  const due = (days: number, changes: Parameters<typeof row>[1] = {}): string | undefined => {
    const old = row(1, { startedAtMs: 0, endedAtMs: 1000, participants: ['sip:x@y'], ...changes })
    return dueRule(old, rules, 1000 + days * DAY_MS)?.name
  }
  assert.equal(due(90), 'rest')
  assert.equal(due(89.99), undefined)
  assert.equal(due(10_000, { tags: ['contract'] }), undefined)
  assert.equal(due(7, { state: 'no-audio' }), 'silent')
  assert.equal(due(7), undefined)
  assert.equal(due(30, { custom: { queue: 'SALES' } }), 'sales')
  assert.equal(due(30, { custom: { queue: 'sales2' } }), undefined)
  assert.equal(due(400, { participants: ['sip:+493012345@bank.test'] }), undefined)
  assert.equal(due(3650, { participants: ['sip:+493012345@bank.test'] }), 'bank')
  assert.equal(due(10_000, { state: 'receiving' }), undefined)
  assert.equal(latestDueMs([{ name: 'never' }], 5), undefined)
})

test('a run deletes what is due and nothing that is held, even when only the folder knows of the hold', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'retention-'))
  const store = new RecordingStore({ root })
  const { catalogue, jobs } = await openCatalogueAndJobs(':memory:', 'recorder')
  const clock = new ManualClock(400 * DAY_MS)
  const library = new FolderLibrary({ store, catalogue, jobs, storeName: 'recorder', clock, log: silentLogger })
  t.after(async () => {
    await catalogue.close()
    rmSync(root, { recursive: true })
  })
  const { folder: _none, ...bare } = row(0)
  for (let n = 0; n < 600; n++) {
    const startedAtMs = (n < 590 ? 300 : 399) * DAY_MS + n
    await catalogue.put({ ...bare, recordingId: `r${n}`, startedAtMs, endedAtMs: startedAtMs, sizeBytes: 10 })
  }
  const doing = { reason: 'case', actor: 'ada' }
  for (const n of [5, 6, 7]) await library.hold(`r${n}`, doing)
  await catalogue.put({ ...bare, recordingId: 'far', store: 'other', startedAtMs: 0, endedAtMs: 0 })
  const nowMs = clock.wallMs()
  const plan = await planRetention(library, { rules, store: 'recorder', nowMs })
  assert.deepEqual([plan.due.length, plan.held.length], [587, 3])
  assert.deepEqual(plan.held.map(({ recordingId }) => recordingId).sort(), ['r5', 'r6', 'r7'])
  assert.equal(await catalogue.count({}), 601)

  // Laid after the plan was made, and one that a lost catalogue has forgotten.
  await library.hold('r8', doing)
  mkdirSync(join(root, '2026/01/05/r9'), { recursive: true })
  await writeNotes(join(root, '2026/01/05/r9'), { holds: [{ ...doing, atMs: 1 }] })
  await catalogue.put({ ...bare, recordingId: 'r9', folder: '2026/01/05/r9', startedAtMs: 300 * DAY_MS })
  const failures: string[] = []
  const outcome = await applyRetention(library, plan, 'retention', (recordingId) => failures.push(recordingId))
  assert.deepEqual(outcome, { deleted: 585, held: 5, failed: 0 })
  assert.deepEqual(failures, [])
  assert.equal(await catalogue.count({}), 16)
  const tombstone = await catalogue.get('r100')
  assert.deepEqual(tombstone?.deletion, { reason: 'retention rule rest: 90 days', actor: 'retention', atMs: nowMs })
  assert.deepEqual((await planRetention(library, { rules, store: 'recorder', nowMs })).due.length, 1)
})
