// notes.json of a recording's folder: tags, legal holds and the state of the upload, so that the catalogue can be rebuilt with them.

import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { RecordingNotes } from '../catalogue/catalogue.ts'

/** Name of the file. */
export const NOTES_FILE = 'notes.json'

/** The notes of a folder; none where there is no file or it is not ours. */
export async function readNotes(folder: string): Promise<RecordingNotes> {
  try {
    const value: unknown = JSON.parse(await readFile(join(folder, NOTES_FILE), 'utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as RecordingNotes) : {}
  } catch {
    return {}
  }
}

/** Replaces the notes of a folder, on disk before it resolves; rejects with what the file system throws. */
export async function writeNotes(folder: string, notes: RecordingNotes): Promise<void> {
  await replaceDurably(join(folder, NOTES_FILE), `${JSON.stringify(notes, null, 2)}\n`)
}

/** Replaces a file as a whole; after a crash it is the old or the new one. */
export async function replaceDurably(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, 'w')
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
}
