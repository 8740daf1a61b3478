import assert from 'node:assert/strict'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ManualClock, MemoryLogger } from '#kernel'
import { testDisk } from '../../../test/harness/test-disk.ts'
import { openCatalogueAndJobs } from '../catalogue/open-database.ts'
import { type Manifest, NO_TOTALS, type RecordingFacts } from '../manifest.ts'
import { RecordingFolder } from '../recording-folder.ts'
import { RecordingStore } from '../recording-store.ts'
import { documentTexts } from './folder-content.ts'
import { entryOfFolder } from './rebuild.ts'
import { FolderLibrary } from './recording-library.ts'

const facts: RecordingFacts = {
  sip: { callId: 'call-1', fromUri: 'sip:a@b', toUri: 'sip:c@d', requestUri: 'sip:c@d', source: 'x', transport: 'udp' },
  participants: [{ participantId: 'p', name: 'Ada', aor: 'sip:ada@x' }],
  sessionIds: ['s'],
  groupIds: [],
  recordingReference: 'ref-1',
  custom: { order: '4711' },
  metadataInvalid: false,
  speakers: [],
  speakersInferred: false,
  warnings: [],
}
const doing = { reason: 'asked for by the customer', actor: 'ada' }

/** Publishes a recording of an Opus stream that nothing came on. */
async function publish(
  root: string,
  recordingId: string,
  startedAtMs: number,
): Promise<{ folder: string; manifest: Manifest }> {
  const folder = new RecordingFolder(testDisk(), root, recordingId, startedAtMs, facts)
  folder.addMetadata({
    receivedAt: 'x',
    transaction: 'INVITE 1',
    raw: Buffer.from(`<recording><x a="attribute &amp; value">claim ${recordingId}</x></recording>`),
    warnings: [],
    state: {},
  })
  folder.addStream('1').startRawRun({ encoding: 'OPUS/48000/2', clockRateHz: 48_000 }, 0)
  const totals = [{ ...NO_TOTALS, packets: 7 }]
  return await folder.publish({ endedAtMs: startedAtMs + 1000, durationMs: 1000, totals, noAudioCause: 'no-rtp' })
}

async function openScene(t: TestContext, eraseRemote?: () => Promise<void>) {
  const root = mkdtempSync(join(tmpdir(), 'library-'))
  const store = new RecordingStore({ root })
  const clock = new ManualClock()
  const log = new MemoryLogger()
  const open = async () => {
    const opened = await openCatalogueAndJobs(':memory:', 'recorder')
    t.after(() => opened.catalogue.close())
    const options = { store, storeName: 'recorder', clock, log, ...(eraseRemote && { eraseRemote }) }
    return { ...opened, library: new FolderLibrary({ ...options, ...opened }) }
  }
  t.after(() => rmSync(root, { recursive: true }))
  const first = await open()
  const add = async (recordingId: string, startedAtMs = 86_400_000): Promise<string> => {
    const { folder } = await publish(root, recordingId, startedAtMs)
    const entry = await entryOfFolder(store, store.relativeFolder(folder))
    assert.ok(entry)
    await first.library.put(entry.row)
    return folder
  }
  return { root, store, clock, log, open, add, ...first }
}

test('a published recording is found by the words of its metadata, and its size is known', async (t) => {
  const { library, add } = await openScene(t)
  await add('one')
  await add('two')
  const page = await library.search({ limit: 9, text: '"claim two" "attribute & value"' })
  assert.deepEqual(
    page.rows.map(({ recordingId }) => recordingId),
    ['two'],
  )
  assert.ok((page.rows[0]?.sizeBytes ?? 0) > 500)
  assert.deepEqual((await library.search({ limit: 9, custom: { order: '4711' } })).rows.length, 2)
})

test('tags and holds are in the catalogue and in the folder, and a rebuilt catalogue has them', async (t) => {
  const { library, add, open } = await openScene(t)
  const folder = await add('one')
  await library.tag('one', { add: ['Complaint', 'b', 'B'] })
  await library.tag('one', { add: ['c'], remove: ['COMPLAINT'] })
  const held = await library.hold('one', doing)
  assert.ok(held.ok)
  assert.deepEqual(held.value.tags, ['b', 'c'])
  const notes = JSON.parse(readFileSync(join(folder, 'notes.json'), 'utf8'))
  assert.deepEqual(notes.tags, ['b', 'c'])
  assert.equal(notes.holds[0].reason, doing.reason)

  const second = await open()
  assert.deepEqual(await second.library.rebuild(), { recordings: 1, deleted: 0, removed: 0 })
  const row = await second.library.get('one')
  assert.deepEqual([row?.tags, row?.holds?.[0]?.actor], [['b', 'c'], 'ada'])
  assert.equal(await second.library.count({ text: 'claim', isHeld: true, tags: ['c'] }), 1)
  await second.library.release('one', doing)
  await second.library.tag('one', { remove: ['b', 'c'] })
  assert.ok(!existsSync(join(folder, 'notes.json')))
})

test('tags that a recording got while it was received are kept when its folder is published', async (t) => {
  const { library, catalogue, root, store } = await openScene(t)
  const { folder } = await publish(root, 'one', 86_400_000)
  const entry = await entryOfFolder(store, store.relativeFolder(folder))
  assert.ok(entry)
  const { folder: _none, ...receiving } = { ...entry.row, state: 'receiving' as const }
  await catalogue.put(receiving)
  assert.ok((await library.hold('one', doing)).ok)
  assert.deepEqual(await library.delete('one', doing), { ok: false, error: 'held' })
  await library.put(entry.row)
  assert.equal(JSON.parse(readFileSync(join(folder, 'notes.json'), 'utf8')).holds.length, 1)
})

test('a deleted recording leaves a row with ids, times, reason, and nobody named; and no file', async (t) => {
  const { root, library, add, open, log } = await openScene(t)
  const folder = await add('one')
  await add('two')
  const deleted = await library.delete('one', doing)
  assert.ok(deleted.ok)
  assert.ok(!existsSync(folder))
  assert.deepEqual(readdirSync(join(root, '.deleted')), [])
  const row = await library.get('one')
  assert.equal(row?.deletion?.reason, doing.reason)
  assert.deepEqual([row.sipCallId, row.reference, row.participants, row.fromUri], ['call-1', 'ref-1', [], ''])
  assert.equal(JSON.stringify(row).includes('Ada'), false)
  assert.equal(await library.count({ text: 'claim', deleted: 'with' }), 1)
  assert.equal(await library.count({ party: 'ada', deleted: 'with' }), 1)
  assert.equal(await library.count({ id: 'ref-1' }), 1)
  assert.equal(await library.count({ id: 'ref-1', deleted: 'only' }), 1)
  assert.deepEqual(await library.delete('one', doing), { ok: false, error: 'deleted' })
  assert.deepEqual(await library.hold('one', doing), { ok: false, error: 'deleted' })
  assert.deepEqual(await library.delete('none', doing), { ok: false, error: 'unknown' })
  assert.ok(log.messages().includes('recording deleted'))

  const second = await open()
  assert.deepEqual(await second.library.rebuild(), { recordings: 1, deleted: 1, removed: 0 })
  assert.deepEqual(await second.library.get('one'), row)
})

test('nothing deletes a recording that is held or received, or lies in another store', async (t) => {
  const { library, catalogue, add, jobs } = await openScene(t)
  const folder = await add('one')
  await library.hold('one', doing)
  await library.hold('one', { reason: 'second case', actor: 'bob' })
  assert.deepEqual(await library.delete('one', doing), { ok: false, error: 'held' })
  const held = await library.get('one')
  assert.ok(held)
  const { holds: _holds, folder: _folder, ...row } = held
  await catalogue.put({ ...row, recordingId: 'live', state: 'receiving' })
  await catalogue.put({ ...row, recordingId: 'far', store: 'other' })
  assert.deepEqual(await library.delete('live', doing), { ok: false, error: 'receiving' })
  assert.deepEqual(await library.delete('far', doing), { ok: false, error: 'elsewhere' })
  assert.ok(existsSync(folder))
  assert.equal(await jobs.count('erase'), 0)
  await library.release('one', doing)
  assert.ok((await library.delete('one', doing)).ok)
})

test('a deletion that broke off is ended later: after a crash, or when object storage was away', async (t) => {
  let isAway = true
  const { library, add, jobs, clock, root, open } = await openScene(t, async () => {
    if (isAway) throw new Error('object storage is away')
  })
  const folder = await add('one')
  await assert.rejects(library.delete('one', doing), /away/)
  assert.ok(!existsSync(folder))
  assert.equal((await library.get('one'))?.deletion?.actor, 'ada')
  assert.equal(await library.count({}), 0)
  clock.advance(60_000)
  await library.finishDeletions()
  assert.equal(await jobs.count('erase'), 1)
  isAway = false
  clock.advance(120_000)
  await library.finishDeletions()
  assert.equal(await jobs.count('erase'), 0)
  assert.equal((await library.get('one'))?.folder, undefined)

  // A crash after the tombstone was written, with a torn line behind it; the catalogue is lost as well.
  const { folder: left } = await publish(root, 'one', 86_400_000)
  appendFileSync(join(root, 'tombstones.jsonl'), '{"recordingId":"two","dele')
  const second = await open()
  assert.deepEqual(await second.library.rebuild(), { recordings: 0, deleted: 1, removed: 0 })
  assert.ok(!existsSync(left))
})

test('a deletion is on record though a crash tore the line of the one before', async (t) => {
  const { root, library, add, open } = await openScene(t)
  await add('one')
  appendFileSync(join(root, 'tombstones.jsonl'), '{"recordingId":"two","dele')
  assert.ok((await library.delete('one', doing)).ok)
  const second = await open()
  assert.deepEqual(await second.library.rebuild(), { recordings: 0, deleted: 1, removed: 0 })
  assert.equal((await second.library.get('one'))?.deletion?.actor, 'ada')
})

test('a folder that has vanished can be deleted, and a row that points outside deletes nothing', async (t) => {
  const { library, catalogue, add, root } = await openScene(t)
  rmSync(await add('one'), { recursive: true })
  assert.ok((await library.delete('one', doing)).ok)
  await add('two')
  const row = await library.get('two')
  assert.ok(row)
  const outside = join(root, '..', 'outside-of-the-library')
  mkdirSync(outside, { recursive: true })
  t.after(() => rmSync(outside, { recursive: true, force: true }))
  writeFileSync(join(outside, 'file'), '')
  await catalogue.put({ ...row, folder: '../outside-of-the-library' })
  assert.ok((await library.delete('two', doing)).ok)
  assert.ok(existsSync(join(outside, 'file')))
})

test('texts of a document are its character data and attribute values, whatever its state', () => {
  const xml = `<?xml version="1.0"?><!-- not this --><r xmlns="urn:x" xmlns:y='urn:y' id='a &lt;1&gt;'>
    <y:b c="">  two &#233;&#x41; &unknown; </y:b><![CDATA[<raw> & text]]></r><broken z="3"`
  assert.deepEqual(documentTexts(xml), ['a <1>', 'two éA &unknown;', '<raw> & text'])
  assert.deepEqual(documentTexts('no xml at all'), ['no xml at all'])
})

test('a document of many beginnings without an end is read in no time', () => {
  const before = process.cpuUsage()
  for (const beginning of ['<![CDATA[>', '<!-->', '<a ']) {
    assert.ok(documentTexts(beginning.repeat(50_000)).length <= 50_000)
  }
  const { user, system } = process.cpuUsage(before)
  assert.ok(user + system < 2_000_000, `${user + system} µs of CPU time`)
})
