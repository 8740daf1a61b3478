// evidence.json of a recording's folder: the SHA-256 of each of its files as they lie there, sealed ones sealed.
// evidence.sig is the Ed25519 signature of the bytes of evidence.json, 64 bytes, as openssl makes and reads it.

import { createHash } from 'node:crypto'
import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'

/** Name of the file. */
export const EVIDENCE_FILE = 'evidence.json'
/** Name of its signature. */
export const SIGNATURE_FILE = 'evidence.sig'

/** Files that change after a recording is published; they say nothing of what was recorded. */
const CHANGING = new Set([EVIDENCE_FILE, SIGNATURE_FILE, 'notes.json', 'upload.json', 'data-key.json'])
const UNFINISHED = /\.(part|new)$/

/** One file of a recording. */
export interface FileEvidence {
  /** Path within the folder, with `/`. */
  readonly name: string
  readonly bytes: number
  readonly sha256: string
}

/** The whole of evidence.json. */
export interface Evidence {
  readonly version: 1
  readonly recordingId: string
  /** ISO 8601, UTC. */
  readonly attestedAt: string
  /** Day, `yyyy/mm/dd`, in whose chain the recording has its line. */
  readonly chain: string
  readonly keyId: string
  /** By name. */
  readonly files: readonly FileEvidence[]
}

/** An entry of a folder that evidence is about. */
export interface FolderEntry {
  readonly name: string
  readonly path: string
  /** False: a link, a device or the like stands where a file should. */
  readonly isFile: boolean
}

/** What of a folder evidence is about, by name; throws what the file system throws. */
export function entriesOf(folder: string): FolderEntry[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      return {
        name: path
          .slice(folder.length + 1)
          .split(sep)
          .join('/'),
        path,
        isFile: entry.isFile(),
      }
    })
    .filter(({ name }) => !CHANGING.has(name) && !UNFINISHED.test(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Hashes the files of a folder; rejects with what the file system says. */
export async function hashFolder(folder: string): Promise<FileEvidence[]> {
  const files: FileEvidence[] = []
  for (const { name, path, isFile } of entriesOf(folder)) {
    if (isFile) files.push({ name, ...(await hashFile(path)) })
  }
  return files
}

/** Size and SHA-256 of a file; rejects with what the file system says. */
export async function hashFile(path: string): Promise<Omit<FileEvidence, 'name'>> {
  const hash = createHash('sha256')
  let bytes = 0
  if (statSync(path).size > 0) {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
      hash.update(chunk as Buffer)
      bytes += (chunk as Buffer).length
    }
  }
  return { bytes, sha256: hash.digest('hex') }
}

/** SHA-256 in hexadecimal. */
export function sha256Of(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** The text of evidence.json. */
export function serializeEvidence(evidence: Evidence): string {
  return `${JSON.stringify(evidence, null, 2)}\n`
}

/** Reads evidence.json; undefined if it is not one of ours. */
export function parseEvidence(text: string): Evidence | undefined {
  try {
    const value = JSON.parse(text) as Partial<Evidence> | null
    const isEvidence =
      value?.version === 1 &&
      typeof value.recordingId === 'string' &&
      typeof value.chain === 'string' &&
      /^\d{4}\/\d\d\/\d\d$/.test(value.chain) &&
      Array.isArray(value.files) &&
      value.files.every((file) => typeof file?.name === 'string' && typeof file.sha256 === 'string')
    return isEvidence ? (value as Evidence) : undefined
  } catch {
    return undefined
  }
}

/** SHA-256 of a folder's evidence.json; undefined where there is none. */
export function evidenceHashOf(folder: string): string | undefined {
  try {
    return sha256Of(readFileSync(join(folder, EVIDENCE_FILE)))
  } catch {
    return undefined
  }
}
