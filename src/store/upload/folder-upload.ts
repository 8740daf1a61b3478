// One recording's folder into object storage: file by file, large ones in parts, each proved by its checksum; it goes on where it stopped.

import { createHash } from 'node:crypto'
import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { NOTES_FILE } from '../library/notes-file.ts'
import type { ObjectStorage } from './object-storage.ts'
import {
  readUploadRecord,
  UPLOAD_FILE,
  type UploadedFile,
  type UploadRecord,
  writeUploadRecord,
} from './upload-file.ts'

/** What an upload works with. */
export interface FolderUploadOptions {
  readonly storage: ObjectStorage
  /** Stands before the names of the files. */
  readonly keyPrefix: string
  /** Larger files go in parts of this size; S3 takes 5 MiB and more. */
  readonly partBytes: number
  /** Waits until so many bytes may be sent. */
  readonly spend: (bytes: number) => Promise<void>
  readonly nowMs: () => number
}

interface Source {
  readonly name: string
  readonly path: string
  readonly bytes: number
  readonly modifiedMs: number
}

/** Attempts for a part whose checksum came out wrong, before the upload is given up for now. */
const ATTEMPTS = 3
/** The manifest goes last: where it is, everything is. */
const LAST = 'manifest.json'

/** Uploads what is not there yet; resolves when every file is proved to be there, and rejects with the first trouble. */
export async function uploadFolder(folder: string, options: FolderUploadOptions): Promise<UploadRecord> {
  let record = await readUploadRecord(folder)
  for (const source of await sourcesOf(folder)) {
    const known = record.files[source.name]
    if (known?.bytes === source.bytes && known.modifiedMs === source.modifiedMs) continue
    const uploaded = await new FileUpload(folder, source, options).run()
    const { partial: _done, verifiedAtMs: _before, ...kept } = record
    record = { ...kept, files: { ...record.files, [source.name]: uploaded } }
    await writeUploadRecord(folder, record)
  }
  record = { ...record, verifiedAtMs: options.nowMs() }
  await writeUploadRecord(folder, record)
  return record
}

/** Files of a folder and its folders, but for those that change with the catalogue. */
async function sourcesOf(folder: string): Promise<Source[]> {
  const sources: Source[] = []
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name)
    const name = path.slice(folder.length + 1)
    if (!entry.isFile() || [NOTES_FILE, UPLOAD_FILE].includes(name) || name.endsWith('.new')) continue
    const { size, mtimeMs } = await stat(path)
    sources.push({ name, path, bytes: size, modifiedMs: mtimeMs })
  }
  return sources.sort((a, b) => Number(a.name === LAST) - Number(b.name === LAST) || (a.name < b.name ? -1 : 1))
}

class FileUpload {
  readonly #folder: string
  readonly #source: Source
  readonly #options: FolderUploadOptions
  readonly #key: string
  readonly #content = createHash('sha256')

  constructor(folder: string, source: Source, options: FolderUploadOptions) {
    this.#folder = folder
    this.#source = source
    this.#options = options
    this.#key = options.keyPrefix + source.name
  }

  async run(): Promise<UploadedFile> {
    const { path, bytes, modifiedMs } = this.#source
    const file = await open(path, 'r')
    try {
      const isProved = bytes > this.#options.partBytes ? await this.#inParts(file) : await this.#whole(file)
      const sha256 = this.#content.digest('hex')
      if (!isProved) await this.#readBack(sha256)
      return { key: this.#key, bytes, modifiedMs, sha256, provedBy: isProved ? 'etag' : 'read-back' }
    } finally {
      await file.close()
    }
  }

  async #whole(file: FileHandle): Promise<boolean> {
    const { storage, spend } = this.#options
    const bytes = await readPart(file, 0, this.#source.bytes)
    this.#content.update(bytes)
    await spend(bytes.length)
    return (await storage.put(this.#key, bytes)) === md5(bytes).toString('hex')
  }

  async #inParts(file: FileHandle): Promise<boolean> {
    const { storage } = this.#options
    const { uploadId, partBytes, etags: there } = await this.#begin()
    const etags: string[] = []
    const whole = createHash('md5')
    const sums: Buffer[] = []
    for (let start = 0; start < this.#source.bytes; start += partBytes) {
      const bytes = await readPart(file, start, Math.min(partBytes, this.#source.bytes - start))
      this.#content.update(bytes)
      whole.update(bytes)
      sums.push(md5(bytes))
      const known = there[etags.length]
      etags.push(known ?? (await this.#part(uploadId, etags.length + 1, bytes)))
      if (known === undefined) await this.#note({ uploadId, partBytes, etags })
    }
    const etag = await storage.completeParts(this.#key, uploadId, etags).catch((fault) => this.#forget(fault))
    // Amazon gives the checksum of the checksums; some others give that of the object.
    const ofSums = `${md5(Buffer.concat(sums)).toString('hex')}-${etags.length}`
    return etag === ofSums || etag === whole.digest('hex')
  }

  /** Goes on with the parts that are there, if the file is still the same. */
  async #begin(): Promise<{
    readonly uploadId: string
    readonly partBytes: number
    readonly etags: readonly string[]
  }> {
    const { storage, partBytes } = this.#options
    const { name, bytes, modifiedMs } = this.#source
    const { partial } = await readUploadRecord(this.#folder)
    if (partial?.name === name && partial.bytes === bytes && partial.modifiedMs === modifiedMs) return partial
    if (partial !== undefined) {
      // Parts that nobody will use cost money; that they stay is no reason to keep the recording waiting.
      await storage.abortParts(this.#options.keyPrefix + partial.name, partial.uploadId).catch(() => {})
    }
    const begun = { uploadId: await storage.beginParts(this.#key), partBytes, etags: [] }
    await this.#note(begun)
    return begun
  }

  async #part(uploadId: string, number: number, bytes: Uint8Array): Promise<string> {
    const { storage, spend } = this.#options
    const expected = md5(bytes).toString('hex')
    for (let attempt = 1; ; attempt++) {
      await spend(bytes.length)
      const etag = await storage.putPart(this.#key, uploadId, number, bytes).catch((fault) => this.#forget(fault))
      // With some kinds of encryption an ETag is no checksum; then the object is read back in the end.
      const isChecksum = /^[\da-f]{32}$/.test(etag)
      if (!isChecksum || etag === expected || attempt === ATTEMPTS) {
        if (isChecksum && etag !== expected) throw new Error(`part ${number} of ${this.#key} arrived corrupted`)
        return etag
      }
    }
  }

  /** An upload that the server does not know any more begins anew the next time. */
  async #forget(fault: unknown): Promise<never> {
    if ((fault as { readonly status?: number }).status === 404) {
      const { partial: _gone, ...record } = await readUploadRecord(this.#folder)
      await writeUploadRecord(this.#folder, record)
    }
    throw fault
  }

  async #note(begun: { readonly uploadId: string; readonly partBytes: number; readonly etags: readonly string[] }) {
    const { name, bytes, modifiedMs } = this.#source
    const record = await readUploadRecord(this.#folder)
    await writeUploadRecord(this.#folder, { ...record, partial: { name, bytes, modifiedMs, ...begun } })
  }

  async #readBack(sha256: string): Promise<void> {
    const hash = createHash('sha256')
    for await (const bytes of this.#options.storage.read(this.#key)) hash.update(bytes)
    if (hash.digest('hex') === sha256) return
    await this.#options.storage.remove(this.#key)
    const { partial: _wrong, ...record } = await readUploadRecord(this.#folder)
    await writeUploadRecord(this.#folder, record)
    throw new Error(`${this.#key} arrived corrupted`)
  }
}

async function readPart(file: FileHandle, start: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  let at = 0
  while (at < length) {
    const { bytesRead } = await file.read(bytes, at, length - at, start + at)
    if (bytesRead === 0) throw new Error('the file became shorter while it was read')
    at += bytesRead
  }
  return bytes
}

function md5(bytes: Uint8Array): Buffer {
  return createHash('md5').update(bytes).digest()
}
