// Recordings that are encrypted: a data key for each, itself sealed with the newest key of the key ring and kept in the
// folder; reading opens what is asked for with it. A folder without a data key was recorded before, and is read as it is.

import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { KEY_BYTES, seal, unseal } from '#sealing'
import { FrameSealer } from './frame-sealer.ts'
import { badKey, checkKeyRing, readKeyRing } from './key-ring.ts'
import {
  closeDurably,
  type Growth,
  type OutputFile,
  plainFiles,
  type RecordingFiles,
  replaceWhole,
  writeAll,
} from './recording-files.ts'
import { type OpenFile, SealedFile, sealedFault } from './sealed-file.ts'
import { CHUNK_BYTES, FILE_HEAD_BYTES, newFileHead, type SealedPlace } from './sealed-format.ts'

/** Name of the file with the data key; it may be sealed anew, so evidence leaves it out. */
const DATA_KEY_FILE = 'data-key.json'
const KEPT_KEYS = 1000
const OPEN = /\.open$/
/** Behind the name of a file that is not complete yet. */
const UNFINISHED = /\.(part|new)$/

/** Where and with what recordings are sealed; plain data, since it goes to threads. */
export interface VaultOptions {
  /** Root folder of the recordings. */
  readonly root: string
  readonly keyFile: string
}

/** A file that says nothing. */
const NOTHING: OpenFile = { size: 0, readAt: () => 0, close: () => {} }

interface DataKeyFile {
  readonly version: 1
  /** Name of the key that it is sealed with. */
  readonly key: string
  readonly sealed: string
}

/** Files that are sealed. */
export class Vault implements RecordingFiles {
  readonly #keyFile: string
  /** Data keys by recording, the last that were used. */
  readonly #keys = new Map<string, Uint8Array>()

  constructor({ keyFile }: VaultOptions) {
    this.#keyFile = keyFile
  }

  /** Opens it after a look at the keys; throws AppError `store.encryption-key` when one is missing or wrong. */
  static checked(options: VaultOptions): Vault {
    checkKeyRing(options.root, options.keyFile)
    return new Vault(options)
  }

  begin(folder: string): void {
    const dataKey = randomBytes(KEY_BYTES)
    writeDataKey(folder, dataKey, this.#keyFile)
    // Whoever rotates the keys at this moment has not seen it.
    rewrapDataKey(folder, this.#keyFile)
    this.#keep(idOf(folder), dataKey)
  }

  grow(path: string, isContinued: boolean): Growth | undefined {
    const place = this.placeOf(path)
    if (place === undefined) return undefined
    if (!isContinued) {
      const sealer = new FrameSealer(place, 0)
      return { sealer, end: sealer.head.length }
    }
    mendHead(path)
    const left = new SealedFile(path, place, true)
    left.close()
    cutAt(path, left.end)
    return { sealer: new FrameSealer(place, 0, left), end: left.end }
  }

  finish(path: string): void {
    const place = this.placeOf(path)
    if (place === undefined || !existsSync(path)) return
    mendHead(path)
    const left = new SealedFile(path, place, true)
    left.close()
    if (left.isClosed) return
    cutAt(path, left.end)
    appendAt(path, left.end, new FrameSealer(place, 0, left).next(new Uint8Array(), true))
  }

  open(path: string): OpenFile {
    const place = this.placeOf(path)
    if (place === undefined) return plainFiles.open(path)
    const isGrowing = isInOpenFolder(path)
    return isGrowing && isHeadless(path) ? NOTHING : new SealedFile(path, place, isGrowing)
  }

  read(path: string): Buffer {
    const file = this.open(path)
    try {
      const bytes = Buffer.alloc(file.size)
      file.readAt(bytes, 0)
      return bytes
    } finally {
      file.close()
    }
  }

  write(path: string, content: string | Uint8Array, mode?: number): void {
    plainFiles.write(path, this.#sealed(path, content), mode)
  }

  replace(path: string, content: string | Uint8Array): void {
    plainFiles.replace(path, this.#sealed(path, content))
  }

  append(path: string, content: string): void {
    const growth = this.grow(path, existsSync(path))
    if (growth === undefined) {
      plainFiles.append(path, content)
      return
    }
    const { sealer, end } = growth
    if (end === sealer.head.length && !existsSync(path)) replaceWhole(path, sealer.head)
    appendAt(path, end, sealer.next(Buffer.from(content)))
  }

  output(path: string): OutputFile {
    const place = this.placeOf(path)
    return place === undefined ? plainFiles.output(path) : new SealedOutput(path, new FrameSealer(place, CHUNK_BYTES))
  }

  placeOf(path: string): SealedPlace | undefined {
    const folder = basename(dirname(path)) === 'metadata' ? dirname(dirname(path)) : dirname(path)
    const id = idOf(folder)
    const dataKey = this.#keys.get(id) ?? readDataKey(folder, this.#keyFile)
    if (dataKey === undefined) return undefined
    if (!this.#keys.has(id)) this.#keep(id, dataKey)
    return { name: `${id}/${path.slice(folder.length + 1).replace(UNFINISHED, '')}`, dataKey }
  }

  #sealed(path: string, content: string | Uint8Array): string | Uint8Array {
    const place = this.placeOf(path)
    if (place === undefined) return content
    const sealer = new FrameSealer(place, 0)
    return Buffer.concat([sealer.head, sealer.next(Buffer.from(content), true)])
  }

  #keep(id: string, dataKey: Uint8Array): void {
    const [oldest] = this.#keys.keys()
    if (this.#keys.size >= KEPT_KEYS && oldest !== undefined) this.#keys.delete(oldest)
    this.#keys.set(id, dataKey)
  }
}

/** Seals the data key of a recording anew with the newest key; false when it is already, or the recording is not sealed. */
export function rewrapDataKey(folder: string, keyFile: string): boolean {
  const path = join(folder, DATA_KEY_FILE)
  // A recording that was listed while it was received may have got its last name since.
  if (!existsSync(path)) return OPEN.test(folder) && rewrapDataKey(folder.replace(OPEN, ''), keyFile)
  const { key } = JSON.parse(readFileSync(path, 'utf8')) as DataKeyFile
  if (key === readKeyRing(keyFile).at(-1)?.name) return false
  const dataKey = readDataKey(folder, keyFile)
  if (dataKey !== undefined) writeDataKey(folder, dataKey, keyFile)
  return dataKey !== undefined
}

function writeDataKey(folder: string, dataKey: Uint8Array, keyFile: string): void {
  const newest = readKeyRing(keyFile).at(-1)!
  const sealed = seal(newest.key, dataKey, Buffer.from(idOf(folder))).toString('base64')
  const written: DataKeyFile = { version: 1, key: newest.name, sealed }
  replaceWhole(join(folder, DATA_KEY_FILE), `${JSON.stringify(written)}\n`)
}

function readDataKey(folder: string, keyFile: string): Uint8Array | undefined {
  const path = join(folder, DATA_KEY_FILE)
  if (!existsSync(path)) return undefined
  let written: DataKeyFile
  try {
    written = JSON.parse(readFileSync(path, 'utf8')) as DataKeyFile
  } catch {
    throw sealedFault(`${path} is not readable`)
  }
  const found = readKeyRing(keyFile).find(({ name }) => name === written.key)
  if (found === undefined) throw badKey(`${keyFile}: the key ${written.key} is missing, which ${folder} is sealed with`)
  const dataKey = unseal(found.key, Buffer.from(String(written.sealed), 'base64'), Buffer.from(idOf(folder)))
  if (dataKey === undefined) throw badKey(`${keyFile}:${found.line}: ${found.name} does not open ${path}`)
  return dataKey
}

/** Writes frames of one size. */
class SealedOutput implements OutputFile {
  readonly #fd: number
  readonly #sealer: FrameSealer
  readonly #chunk = Buffer.alloc(CHUNK_BYTES)
  #filled = 0

  constructor(path: string, sealer: FrameSealer) {
    this.#sealer = sealer
    this.#fd = openSync(path, 'w')
    try {
      writeAll(this.#fd, sealer.head)
    } catch (fault) {
      closeSync(this.#fd)
      throw fault
    }
  }

  append(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      // The last frame is only known when nothing comes behind it.
      if (this.#filled === CHUNK_BYTES) this.#write(false)
      const part = bytes.subarray(from, from + CHUNK_BYTES - this.#filled)
      this.#chunk.set(part, this.#filled)
      this.#filled += part.length
      from += part.length
    }
  }

  close(): void {
    try {
      this.#write(true)
    } finally {
      closeDurably(this.#fd)
    }
  }

  #write(isLast: boolean): void {
    writeAll(this.#fd, this.#sealer.next(this.#chunk.subarray(0, this.#filled), isLast))
    this.#filled = 0
  }
}

function idOf(folder: string): string {
  return basename(folder).replace(OPEN, '')
}

function isInOpenFolder(path: string): boolean {
  return OPEN.test(dirname(path)) || OPEN.test(dirname(dirname(path)))
}

/** Whether a file that grew has no head: a loss of power may leave a file its name, or its size, and no content. */
function isHeadless(path: string): boolean {
  const file = plainFiles.open(path)
  try {
    const head = Buffer.alloc(FILE_HEAD_BYTES)
    return file.readAt(head, 0) < head.length || head.every((byte) => byte === 0)
  } finally {
    file.close()
  }
}

/** Gives a file that has none a head: nothing in it can be read any more. */
function mendHead(path: string): void {
  if (isHeadless(path)) replaceWhole(path, newFileHead(0))
}

function cutAt(path: string, size: number): void {
  const fd = openSync(path, 'r+')
  try {
    ftruncateSync(fd, size)
  } finally {
    closeSync(fd)
  }
}

function appendAt(path: string, position: number, frame: Buffer): void {
  const fd = openSync(path, 'r+')
  let done = 0
  try {
    while (done < frame.length) done += writeSync(fd, frame, done, frame.length - done, position + done)
  } finally {
    closeDurably(fd)
  }
}
