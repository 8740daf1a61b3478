// The way back from the folders to the catalogue: rows, notes, words of metadata, and tombstones.

import { basename, join } from 'node:path'
import { type CatalogueRow, rowOf } from '../catalogue/catalogue.ts'
import { type Entry, notesOf, type SqlCatalogue } from '../catalogue/sql-catalogue.ts'
import { OPEN_SUFFIX } from '../recording-folder.ts'
import type { RecordingStore } from '../recording-store.ts'
import { recordingFolders } from '../recovery.ts'
import { folderBytes, metadataWords } from './folder-content.ts'
import { readNotes } from './notes-file.ts'
import { readTombstones, rowOfTombstone } from './tombstones.ts'

const BATCH = 200

/** What a rebuild did. */
export interface Rebuilt {
  readonly recordings: number
  readonly deleted: number
  /** Rows that had neither folder nor tombstone. */
  readonly removed: number
}

/** How to rebuild. */
export interface RebuildOptions {
  readonly nowMs: number
  /** Ends the deletion of a recording whose folder is still there. */
  readonly erase: (row: CatalogueRow) => Promise<void>
}

/** Everything that the catalogue keeps of a published recording, read from its folder; undefined where there is no manifest. */
export async function entryOfFolder(store: RecordingStore, folder: string): Promise<Entry | undefined> {
  const manifest = await store.manifest(folder)
  if (manifest === undefined) return undefined
  const path = join(store.root, folder)
  const [metadata, sizeBytes, notes] = await Promise.all([
    metadataWords(path, store.files),
    folderBytes(path),
    readNotes(path),
  ])
  const row = { ...rowOf(manifest, folder), sizeBytes }
  return { row, metadata, folderNotes: notesOf({ ...row, ...notes }) }
}

/**
 * Writes a row for each published folder and each tombstone, and removes rows of this store that began before `nowMs` and have
 * neither. Folders that are open stay with whoever writes them.
 */
export async function rebuildCatalogue(
  store: RecordingStore,
  catalogue: SqlCatalogue,
  { nowMs, erase }: RebuildOptions,
): Promise<Rebuilt> {
  const seen = new Set<string>()
  let batch: Entry[] = []
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await catalogue.putAll(batch)
    batch = []
  }
  const add = async (entry: Entry): Promise<void> => {
    seen.add(entry.row.recordingId)
    if (batch.push(entry) >= BATCH) await flush()
  }
  const tombstones = await readTombstones(store.root)
  const deletedIds = new Set(tombstones.map(({ recordingId }) => recordingId))
  let recordings = 0
  const folders = recordingFolders(store.root)
  for (const path of folders) {
    if (path.endsWith(OPEN_SUFFIX)) {
      seen.add(idOf(path))
      continue
    }
    const folder = store.relativeFolder(path)
    const entry = await entryOfFolder(store, folder)
    if (entry === undefined) continue
    if (deletedIds.has(entry.row.recordingId)) {
      await erase(entry.row)
      continue
    }
    recordings += 1
    await add(entry)
  }
  for (const tombstone of tombstones) {
    await add({ row: rowOfTombstone(tombstone), notes: { deletion: tombstone.deletion } })
  }
  await flush()
  // What came, got its name, or went meanwhile has been told to the catalogue by whoever did it.
  const known = new Set(folders)
  for (const path of recordingFolders(store.root)) if (!known.has(path)) seen.add(idOf(path))
  for (const { recordingId } of await readTombstones(store.root)) seen.add(recordingId)
  const removed = await catalogue.removeUnseen(seen, nowMs)
  await catalogue.recount()
  return { recordings, deleted: tombstones.length, removed }
}

function idOf(path: string): string {
  return basename(path, OPEN_SUFFIX)
}
