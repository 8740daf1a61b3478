// upload.json of a recording's folder: which files are in object storage, and how far the one under way has come.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceDurably } from '../library/notes-file.ts'

/** Name of the file. */
export const UPLOAD_FILE = 'upload.json'

/** A file that is in object storage, its content proved. */
export interface UploadedFile {
  readonly key: string
  readonly bytes: number
  readonly modifiedMs: number
  readonly sha256: string
  /** How the content was proved: by the server's checksum, or by reading it back. */
  readonly provedBy: 'etag' | 'read-back'
}

/** A file of which some parts are there. */
export interface PartialUpload {
  readonly name: string
  readonly bytes: number
  readonly modifiedMs: number
  readonly uploadId: string
  readonly partBytes: number
  /** ETags of the parts that are there, in order. */
  readonly etags: readonly string[]
}

/** The whole of upload.json. */
export interface UploadRecord {
  readonly files: Readonly<Record<string, UploadedFile>>
  readonly partial?: PartialUpload
  /** All files are there. */
  readonly verifiedAtMs?: number
  readonly localRemovedAtMs?: number
}

/** The record of a folder; an empty one where there is none that can be read. */
export async function readUploadRecord(folder: string): Promise<UploadRecord> {
  try {
    const value = JSON.parse(await readFile(join(folder, UPLOAD_FILE), 'utf8')) as UploadRecord | null
    return typeof value?.files === 'object' && value.files !== null ? value : { files: {} }
  } catch {
    return { files: {} }
  }
}

/** Replaces the record of a folder; rejects with what the file system throws. */
export async function writeUploadRecord(folder: string, record: UploadRecord): Promise<void> {
  await replaceDurably(join(folder, UPLOAD_FILE), `${JSON.stringify(record, null, 2)}\n`)
}
