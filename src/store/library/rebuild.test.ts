// A rebuild beside a recorder that runs: what happens meanwhile is not undone.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ManualClock, MemoryLogger } from '#kernel'
import { littleKnown } from '../../../test/harness/attested-store.ts'
import { testDisk } from '../../../test/harness/test-disk.ts'
import { openRow } from '../catalogue/catalogue.ts'
import { openCatalogueAndJobs } from '../catalogue/open-database.ts'
import { type Manifest, NO_TOTALS } from '../manifest.ts'
import { type Closing, RecordingFolder } from '../recording-folder.ts'
import { RecordingStore } from '../recording-store.ts'
import { entryOfFolder } from './rebuild.ts'
import { FolderLibrary } from './recording-library.ts'

const STARTED_MS = 86_400_000
const doing = { reason: 'asked for by the customer', actor: 'ada' }
const closing: Closing = { endedAtMs: STARTED_MS + 1000, durationMs: 1000, totals: [NO_TOTALS], noAudioCause: 'no-rtp' }

/** A store whose manifests are read slowly: before each one a part of something else may happen. */
class SlowStore extends RecordingStore {
  /** Told of each folder whose manifest is about to be read. */
  onRead: (folder: string) => Promise<void> = async () => {}

  override async manifest(folder: string): Promise<Manifest | undefined> {
    await this.onRead(folder)
    return await super.manifest(folder)
  }
}

async function openScene(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), 'rebuild-'))
  t.after(() => rmSync(root, { recursive: true }))
  const store = new SlowStore({ root })
  const opened = await openCatalogueAndJobs(':memory:', 'recorder')
  t.after(() => opened.catalogue.close())
  const parts = { store, storeName: 'recorder', clock: new ManualClock(), log: new MemoryLogger(), ...opened }
  const library = new FolderLibrary(parts)
  const begin = async (recordingId: string): Promise<RecordingFolder> => {
    const folder = new RecordingFolder(testDisk(), root, recordingId, STARTED_MS, littleKnown)
    folder.addStream('1').startRawRun({ encoding: 'OPUS/48000/2', clockRateHz: 48_000 }, 0)
    await library.put(openRow(recordingId, STARTED_MS, littleKnown, 1))
    return folder
  }
  const publish = async (folder: RecordingFolder): Promise<string> => {
    const published = await folder.publish(closing)
    const entry = await entryOfFolder(new RecordingStore({ root }), store.relativeFolder(published.folder))
    assert.ok(entry)
    await library.put(entry.row)
    return published.folder
  }
  return { root, store, library, begin, publish, ...opened }
}

test('a recording that ends while the catalogue is rebuilt stays in it', async (t) => {
  const { store, library, begin, publish } = await openScene(t)
  await publish(await begin('a'))
  const open = await begin('b')
  let published: Promise<string> | undefined
  store.onRead = async () => {
    published ??= publish(open)
    await published
  }
  await library.rebuild()
  assert.equal((await library.get('b'))?.state, 'published')
})

test('the folder of a recording that is about to get its last name is not written down under the name before', async (t) => {
  const { root, store, library, begin } = await openScene(t)
  const open = await begin('a')
  const { manifest, folder } = await open.publish(closing, undefined, async () => {
    // Hashing takes its time, and the manifest is written already.
    await library.rebuild()
  })
  assert.equal(manifest.state, 'published')
  const row = await library.get('a')
  assert.ok(row?.folder === undefined || join(root, row.folder) === folder, row?.folder)
  assert.equal(store.relativeFolder(folder), '1970/01/02/a')
})

test('a recording that is deleted while the catalogue is rebuilt stays deleted', async (t) => {
  const { store, library, begin, publish } = await openScene(t)
  for (const id of ['a', 'b']) await publish(await begin(id))
  store.onRead = async (folder) => {
    if (folder.endsWith('/b')) assert.ok((await library.delete('a', doing)).ok)
  }
  await library.rebuild()
  const row = await library.get('a')
  assert.equal(row?.deletion?.actor, 'ada')
  assert.deepEqual(row.participants, [])
})

test('a hold that is laid while the catalogue is rebuilt stays', async (t) => {
  const { store, library, begin, publish } = await openScene(t)
  const folder = await publish(await begin('a'))
  await publish(await begin('b'))
  store.onRead = async (folder) => {
    if (folder.endsWith('/b')) assert.ok((await library.hold('a', doing)).ok)
  }
  await library.rebuild()
  assert.equal((await library.get('a'))?.holds?.length, 1)
  await library.tag('a', { add: ['x'] })
  assert.equal(JSON.parse(readFileSync(join(folder, 'notes.json'), 'utf8')).holds?.length, 1)
  assert.deepEqual(await library.delete('a', doing), { ok: false, error: 'held' })
})

test('a hold that only the folder knows of is in the catalogue after a rebuild', async (t) => {
  const { library, catalogue, begin, publish } = await openScene(t)
  await publish(await begin('a'))
  await library.hold('a', doing)
  // As a backup of the database would have it that is older than the hold.
  await catalogue.annotate('a', () => ({}))
  await library.rebuild()
  assert.equal((await library.get('a'))?.holds?.length, 1)
})
