import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { AppError } from '#kernel'
import { catalogueRow as row } from '../../../test/harness/catalogue-row.ts'
import { catalogueSuite } from '../../../test/harness/catalogue-suite.ts'
import { testDisk } from '../../../test/harness/test-disk.ts'
import { rebuildCatalogue } from '../library/rebuild.ts'
import { NO_TOTALS, type RecordingFacts } from '../manifest.ts'
import { RecordingFolder } from '../recording-folder.ts'
import { RecordingStore } from '../recording-store.ts'
import { openCatalogue } from './open-database.ts'
import { openSqlite } from './sqlite-driver.ts'

catalogueSuite('SQLite', async (t) => {
  const catalogue = await openCatalogue(':memory:')
  t.after(() => catalogue.close())
  return catalogue
})

test('a catalogue in a file survives closing and is not migrated twice', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'catalogue-'))
  t.after(() => rmSync(root, { recursive: true }))
  const path = join(root, 'catalogue.sqlite')
  const first = await openCatalogue(path)
  await first.put(row(1))
  await first.close()
  const second = await openCatalogue(path)
  assert.deepEqual(await second.get('r1'), row(1))
  await second.close()
})

test('rows of the first tables get what they are counted by when their database is opened', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'catalogue-'))
  t.after(() => rmSync(root, { recursive: true }))
  const path = join(root, 'catalogue.sqlite')
  const first = await openCatalogue(path)
  await first.putAll(Array.from({ length: 450 }, (_unused, n) => ({ row: row(n, { custom: { Queue: `q${n % 2}` } }) })))
  await first.close()
  const database = await openSqlite(path)
  for (const text of [
    "delete from siprec_key where kind in ('live-state', 'live-store', 'day', 'field')",
    'drop table siprec_count',
    "delete from siprec_migration where name in ('003-facets', '004-counts')",
  ]) {
    database.prepare(text).run([])
  }
  database.close()
  const second = await openCatalogue(path)
  t.after(() => second.close())
  const { counted, kinds, fields } = await second.facets({})
  assert.equal(counted, 450)
  assert.deepEqual(kinds.day, [{ value: '1970-01-01', count: 450 }])
  assert.deepEqual(fields[0]?.name, 'Queue')
})

test('sums of values that are wrong are right after a rebuild, and none is left of what no recording has', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'catalogue-'))
  t.after(() => rmSync(root, { recursive: true }))
  const path = join(root, 'catalogue.sqlite')
  const catalogue = await openCatalogue(path, 'own')
  t.after(() => catalogue.close())
  for (let n = 1; n <= 3; n++) await catalogue.put(row(n, { store: 'other', caller: 'Ada' }))
  const before = await catalogue.facets({})
  const database = await openSqlite(path)
  t.after(() => database.close())
  for (const text of [
    'update siprec_count set count = 99',
    "delete from siprec_count where kind = 'live-state'",
    "insert into siprec_count values ('caller', 'nobody', 'other', 5)",
  ]) {
    database.prepare(text).run([])
  }
  assert.notDeepEqual(await catalogue.facets({}), before)
  const store = new RecordingStore({ root: join(root, 'recordings') })
  await rebuildCatalogue(store, catalogue, { nowMs: 1e12, erase: async () => assert.fail() })
  assert.deepEqual(await catalogue.facets({}), before)
  for (let n = 1; n <= 3; n++) await catalogue.remove(`r${n}`)
  assert.deepEqual(database.prepare('select * from siprec_count').all([]), [])
})

test('a file that is no database is refused by code', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'catalogue-'))
  t.after(() => rmSync(root, { recursive: true }))
  const path = join(root, 'catalogue.sqlite')
  writeFileSync(path, 'this is not a database, however long it goes on about it'.repeat(40))
  await assert.rejects(openCatalogue(path), (error) => error instanceof AppError && error.code === 'store.catalogue')
})

test('the catalogue is rebuilt from the folders', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'catalogue-'))
  t.after(() => rmSync(root, { recursive: true }))
  const facts: RecordingFacts = {
    sip: { callId: 'c', fromUri: 'sip:a@b', toUri: 'sip:c@d', requestUri: 'sip:c@d', source: 'x', transport: 'udp' },
    participants: [{ participantId: 'p', name: 'Ada', aor: 'sip:ada@x' }],
    sessionIds: ['s'],
    groupIds: [],
    recordingReference: 'ref-1',
    metadataInvalid: false,
    speakers: [],
    speakersInferred: false,
    warnings: ['w'],
    custom: { order: '4711' },
    verdict: { vendor: 'acme', vendorEvidence: [], kind: 'siprec', outcome: 'tolerated', deviations: [], costs: [] },
  }
  for (const id of ['a1', 'a2']) {
    const folder = new RecordingFolder(testDisk(), root, id, 86_400_000, facts)
    folder.addStream('1').startRawRun({ encoding: 'OPUS/48000/2', clockRateHz: 48_000 }, 0)
    const totals = [{ ...NO_TOTALS, packets: 7 }]
    await folder.publish({ endedAtMs: 86_401_000, durationMs: 1000, totals, noAudioCause: 'no-rtp' })
  }
  new RecordingFolder(testDisk(), root, 'still-open', 86_400_000, facts)
  const store = new RecordingStore({ root })
  const catalogue = await openCatalogue(':memory:')
  t.after(() => catalogue.close())
  await catalogue.put(row(3))
  const rebuilt = await rebuildCatalogue(store, catalogue, { nowMs: 1e12, erase: async () => assert.fail() })
  assert.deepEqual(rebuilt, { recordings: 2, deleted: 0, removed: 1 })
  const found = await catalogue.get('a1')
  assert.equal(found?.folder, '1970/01/02/a1')
  assert.equal(found.packets, 7)
  assert.equal(found.reference, 'ref-1')
  assert.deepEqual(found.participants, ['Ada', 'sip:ada@x'])
  assert.equal(await catalogue.count({ vendor: 'acme', verdict: 'tolerated', custom: { order: '4711' } }), 2)
  assert.equal(await catalogue.count({ verdict: 'clean' }), 0)
})

test('rows left as receiving by a dead recorder are settled, of its own store alone', async (t) => {
  const catalogue = await openCatalogue(':memory:')
  t.after(() => catalogue.close())
  await catalogue.put(row(1))
  await catalogue.put(row(9, { state: 'receiving' }))
  await catalogue.put(row(10, { state: 'receiving', store: 'other' }))
  await catalogue.put(row(50, { state: 'receiving' }))
  assert.equal(await catalogue.settleReceiving(50_000), 1)
  const settled = await catalogue.get('r9')
  assert.equal(settled?.state, 'no-audio')
  assert.equal(settled.cause, 'lost')
  assert.equal((await catalogue.get('r1'))?.state, 'published')
  assert.equal(await catalogue.count({ state: 'receiving' }), 2)
})

test('the store refuses new recordings without space or folder, and paths that lead outside', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'catalogue-'))
  t.after(() => rmSync(root, { recursive: true }))
  assert.equal(await new RecordingStore({ root }).refusal(), undefined)
  assert.equal(await new RecordingStore({ root, leastFreeBytes: 2 ** 60 }).refusal(), 'disk-full')
  writeFileSync(join(root, 'file'), '')
  assert.equal(await new RecordingStore({ root: join(root, 'file', 'below') }).refusal(), 'disk-unusable')
  const store = new RecordingStore({ root })
  assert.equal(store.pathOf('2026/01/05/r1', '../../../../../etc/passwd'), undefined)
  assert.equal(await store.manifest('2026/01/05/none'), undefined)
})
