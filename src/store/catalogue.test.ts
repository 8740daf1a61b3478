import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { AppError } from '#kernel'
import { testDisk } from '../../test/harness/test-disk.ts'
import type { Catalogue, CatalogueRow } from './catalogue.ts'
import { NO_TOTALS, type RecordingFacts } from './manifest.ts'
import { RecordingFolder } from './recording-folder.ts'
import { RecordingStore, rebuildCatalogue, recoverRecordings } from './recording-store.ts'
import { openSqliteCatalogue } from './sqlite-catalogue.ts'

function row(n: number, changes: Partial<CatalogueRow> = {}): CatalogueRow {
  return {
    recordingId: `r${n}`,
    state: 'published',
    recovered: false,
    startedAtMs: 1000 * n,
    endedAtMs: 1000 * n + 500,
    durationMs: 500,
    folder: `2026/01/05/r${n}`,
    sipCallId: `call-${n}`,
    fromUri: `sip:+49301234${n}@client.test`,
    toUri: 'sip:recorder@srs.test',
    sessionIds: [`session-${n}`],
    groupIds: [],
    participants: n % 2 === 0 ? ['Ada', 'sip:ada@x.test'] : ['Bob'],
    streams: 2,
    packets: 100,
    warnings: 0,
    ...changes,
  }
}

async function filled(t: TestContext): Promise<Catalogue> {
  const catalogue = await openSqliteCatalogue(':memory:')
  t.after(() => catalogue.close())
  for (let n = 1; n <= 5; n++) await catalogue.put(row(n))
  return catalogue
}

const idsOf = (rows: readonly CatalogueRow[]): string[] => rows.map(({ recordingId }) => recordingId)

test('a row is kept as it is, and put again it is replaced', async (t) => {
  const catalogue = await filled(t)
  const receiving = row(9, { state: 'receiving', packets: 0 })
  await catalogue.put(receiving)
  assert.deepEqual(await catalogue.get('r9'), receiving)
  const done = row(9, { state: 'no-audio', cause: 'no-rtp', reference: 'ref-9' })
  await catalogue.put(done)
  assert.deepEqual(await catalogue.get('r9'), done)
  assert.equal(await catalogue.count({}), 6)
  await catalogue.remove('r9')
  assert.equal(await catalogue.get('r9'), undefined)
})

test('lists are newest first, in pages, and filtered by text, time and state', async (t) => {
  const catalogue = await filled(t)
  await catalogue.put(row(6, { state: 'no-audio' }))
  assert.deepEqual(idsOf(await catalogue.list({ limit: 2 })), ['r6', 'r5'])
  assert.deepEqual(idsOf(await catalogue.list({ limit: 2, offset: 2 })), ['r4', 'r3'])
  assert.deepEqual(idsOf(await catalogue.list({ limit: 10, text: 'ADA' })), ['r6', 'r4', 'r2'])
  assert.deepEqual(idsOf(await catalogue.list({ limit: 10, text: '%' })), [])
  assert.deepEqual(idsOf(await catalogue.list({ limit: 10, text: 'call-3' })), ['r3'])
  assert.deepEqual(idsOf(await catalogue.list({ limit: 10, fromMs: 2000, toMs: 4000 })), ['r3', 'r2'])
  assert.deepEqual(idsOf(await catalogue.list({ limit: 10, state: 'no-audio' })), ['r6'])
  assert.equal(await catalogue.count({ text: 'bob' }), 3)
})

test('a catalogue in a file survives closing and is not migrated twice', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'catalogue-'))
  t.after(() => rmSync(root, { recursive: true }))
  const path = join(root, 'catalogue.sqlite')
  const first = await openSqliteCatalogue(path)
  await first.put(row(1))
  await first.close()
  const second = await openSqliteCatalogue(path)
  assert.deepEqual(await second.get('r1'), row(1))
  await second.close()
})

test('a file that is no database is refused by code', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'catalogue-'))
  t.after(() => rmSync(root, { recursive: true }))
  const path = join(root, 'catalogue.sqlite')
  writeFileSync(path, 'this is not a database, however long it goes on about it'.repeat(40))
  await assert.rejects(
    openSqliteCatalogue(path),
    (error) => error instanceof AppError && error.code === 'store.catalogue',
  )
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
  }
  for (const id of ['a1', 'a2']) {
    const folder = new RecordingFolder(testDisk(), root, id, 86_400_000, facts)
    folder.addStream('1').startRawRun({ encoding: 'OPUS/48000/2', clockRateHz: 48_000 }, 0)
    const totals = [{ ...NO_TOTALS, packets: 7 }]
    await folder.publish({ endedAtMs: 86_401_000, durationMs: 1000, totals, noAudioCause: 'no-rtp' })
  }
  new RecordingFolder(testDisk(), root, 'still-open', 86_400_000, facts)
  const store = new RecordingStore({ root })
  const catalogue = await openSqliteCatalogue(':memory:')
  t.after(() => catalogue.close())
  assert.equal(await rebuildCatalogue(store, catalogue), 2)
  const found = await catalogue.get('a1')
  assert.equal(found?.folder, '1970/01/02/a1')
  assert.equal(found.packets, 7)
  assert.equal(found.reference, 'ref-1')
  assert.deepEqual(found.participants, ['Ada', 'sip:ada@x'])
})

test('a row left as receiving by a dead recorder is settled when there is no folder to recover', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'catalogue-'))
  t.after(() => rmSync(root, { recursive: true }))
  const catalogue = await filled(t)
  await catalogue.put(row(9, { state: 'receiving' }))
  await recoverRecordings(new RecordingStore({ root }), catalogue)
  const settled = await catalogue.get('r9')
  assert.equal(settled?.state, 'no-audio')
  assert.equal(settled.cause, 'lost')
  assert.equal((await catalogue.get('r1'))?.state, 'published')
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
