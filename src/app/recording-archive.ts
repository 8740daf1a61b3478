// What belongs to a recording, file by file, for an archive: as it is stored, with what proves it, and in clear where it is encrypted.

import { createReadStream, existsSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Readable } from 'node:stream'
import type { ArchivePart } from '#control'
import {
  isNote,
  type Manifest,
  type ObjectStorage,
  proofFiles,
  type RecordingFiles,
  readRemoteGrown,
  readUploadRecord,
  storedFiles,
} from '#store'
import { payloadsGuide, rawRuns } from './raw-payloads.ts'
import { openAudio } from './recording-audio.ts'

/** Beside the folder of an encrypted recording: what its files say. */
const PLAIN_FOLDER = 'plain'
const PAYLOADS_GUIDE = 'PAYLOADS.txt'

/** Where the files of a recording are. */
export interface ArchiveSource {
  /** Root of the store. */
  readonly root: string
  /** Folder below it. */
  readonly folder: string
  readonly manifest: Manifest
  readonly files: RecordingFiles
  readonly storage: ObjectStorage | undefined
}

/** Whether the files of a recording are encrypted. */
export function isSealed({ root, folder, files }: ArchiveSource): boolean {
  return files.placeOf(join(root, folder, 'manifest.json')) !== undefined
}

/** The files as they are stored, here or in object storage, and what it takes to verify them. */
export async function* storedParts(source: ArchiveSource): AsyncGenerator<ArchivePart> {
  const { root, folder, storage } = source
  const path = join(root, folder)
  const name = basename(folder)
  const local = storedFiles(path)
  for (const one of local) yield fileAt(`${name}/${one}`, join(path, one))
  const { files: uploaded } = await readUploadRecord(path)
  for (const [one, { key, bytes }] of Object.entries(uploaded)) {
    if (local.includes(one) || isNote(one) || storage === undefined) continue
    const open = (): Readable =>
      bytes === 0 ? Readable.from([]) : Readable.from(storage.read(key, { start: 0, end: bytes - 1 }))
    yield { name: `${name}/${one}`, sizeBytes: bytes, open }
  }
  for (const { name: one, content } of proofFiles(root, folder)) yield textPart(one, content)
}

/** What the files of an encrypted recording say; of received media the audio that was made of it, and the payloads that are kept as they came. */
export async function* plainParts(source: ArchiveSource): AsyncGenerator<ArchivePart> {
  const { root, folder, manifest, files, storage } = source
  const { audioFile, archiveFile, peaksFile, metadata } = manifest
  const named = ['manifest.json', audioFile, archiveFile, peaksFile, ...metadata.map(({ file }) => file)]
  for (const one of new Set(named)) {
    const found = one === undefined ? undefined : await openAudio(join(root, folder, one), storage, files)
    if (one === undefined || found === undefined) continue
    const { sizeBytes } = found
    const open = (): Readable => (sizeBytes === 0 ? Readable.from([]) : found.open(0, sizeBytes - 1))
    yield { name: `${PLAIN_FOLDER}/${one}`, sizeBytes, open }
  }
  const payloads = rawRuns(manifest)
  for (const { file, bytes } of payloads) {
    const part = await grownPart(source, file, bytes)
    if (part !== undefined) yield { ...part, name: `${PLAIN_FOLDER}/${file}` }
  }
  if (payloads.length > 0) yield textPart(`${PLAIN_FOLDER}/${PAYLOADS_GUIDE}`, payloadsGuide(payloads))
}

/** A file that grew frame by frame while media was received; `bytes`: what it says, by the manifest. */
async function grownPart(
  { root, folder, files, storage }: ArchiveSource,
  file: string,
  bytes: number,
): Promise<Omit<ArchivePart, 'name'> | undefined> {
  const path = join(root, folder, file)
  if (existsSync(path)) {
    const found = await openAudio(path, storage, files)
    return found && { sizeBytes: found.sizeBytes, open: () => found.open(0, found.sizeBytes - 1) }
  }
  const copy = (await readUploadRecord(join(root, folder))).files[file]
  const place = files.placeOf(path)
  if (copy === undefined || storage === undefined || place === undefined) return undefined
  const fetch = (start: number, end: number) => storage.read(copy.key, { start, end })
  return { sizeBytes: bytes, open: () => readRemoteGrown(place, copy.bytes, fetch) }
}

/** A file that is made of a text. */
export function textPart(name: string, text: string | Uint8Array): ArchivePart {
  const content = Buffer.from(text)
  return { name, sizeBytes: content.length, open: () => Readable.from([content]) }
}

function fileAt(name: string, path: string): ArchivePart {
  const { size, mtimeMs } = statSync(path)
  const open = (): Readable => (size === 0 ? Readable.from([]) : createReadStream(path, { start: 0, end: size - 1 }))
  return { name, sizeBytes: size, modifiedMs: mtimeMs, open }
}
