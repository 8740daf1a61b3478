// The chain of evidence: `<yyyy>/<mm>/<dd>/chain.jsonl`, a line for each recording that was published on that day and each
// that was deleted. Every line has its number, the hash of the line before, that of another day included, and is signed:
// the signature, last in the line, is of the line without it. So the last line vouches for all before it.

import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { sha256Of } from './evidence-file.ts'
import type { SigningKey } from './signing-key.ts'

/** Name of a day's chain. */
export const CHAIN_FILE = 'chain.jsonl'
/** Stands for the line before the first. */
export const NO_LINE = '0'.repeat(64)

const TAIL_BYTES = 64 * 1024
const SHAPE = /^(\{.*),"signature":"([A-Za-z0-9+/]{86}==)"\}$/

/** What a line is about. */
export type ChainSubject =
  | {
      readonly type: 'recording'
      readonly recordingId: string
      /** Folder below the root. */
      readonly folder: string
      /** SHA-256 of evidence.json. */
      readonly evidence: string
    }
  | {
      readonly type: 'deleted'
      readonly recordingId: string
      /** SHA-256 of the evidence.json that was deleted; absent where there was none. */
      readonly evidence?: string
      readonly reason: string
      readonly actor: string
      /** ISO 8601, UTC. */
      readonly deletedAt: string
    }

/** A line without its signature. */
export type ChainEntry = {
  /** From 1 on, over all days. */
  readonly number: number
  /** ISO 8601, UTC. */
  readonly at: string
  readonly keyId: string
  /** SHA-256 of the line before. */
  readonly previous: string
} & ChainSubject

/** A line that was read. */
export interface ChainLine {
  readonly entry: ChainEntry
  /** SHA-256 of the whole line, without the end of line. */
  readonly hash: string
  /** What was signed. */
  readonly signed: string
  readonly signature: Uint8Array
}

/** Reads one line; undefined if it is none of ours. Its signature is not looked at. */
export function parseChainLine(text: string): ChainLine | undefined {
  const match = SHAPE.exec(text)
  if (match === null) return undefined
  const signed = `${match[1]}}`
  try {
    const entry = JSON.parse(signed) as Partial<ChainEntry>
    const isEntry =
      Number.isInteger(entry.number) &&
      typeof entry.previous === 'string' &&
      typeof entry.recordingId === 'string' &&
      (entry.type === 'deleted' || (entry.type === 'recording' && typeof entry.folder === 'string'))
    if (!isEntry) return undefined
    return { entry: entry as ChainEntry, hash: sha256Of(text), signed, signature: Buffer.from(match[2]!, 'base64') }
  } catch {
    return undefined
  }
}

/** Days, `yyyy/mm/dd`, that have a chain, first one first. */
export function chainDays(root: string): string[] {
  return daysOf(root).filter((day) => existsSync(join(root, day, CHAIN_FILE)))
}

/** Days, `yyyy/mm/dd`, that have a folder, first one first. */
export function daysOf(root: string): string[] {
  let folders = ['']
  for (const name of [/^\d{4}$/, /^\d\d$/, /^\d\d$/]) {
    folders = folders.flatMap((folder) =>
      readdirSync(join(root, folder), { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && name.test(entry.name))
        .map((entry) => (folder === '' ? entry.name : `${folder}/${entry.name}`))
        .sort(),
    )
  }
  return folders
}

/** The lines of a day as they stand, and whether the last one has no end. */
export function readChain(root: string, day: string): { readonly lines: string[]; readonly isTorn: boolean } {
  const lines = readFileSync(join(root, day, CHAIN_FILE), 'utf8').split('\n')
  const rest = lines.pop()
  return rest === '' || rest === undefined ? { lines, isTorn: false } : { lines: [...lines, rest], isTorn: true }
}

/** Adds a line at the end of a day's chain, on disk when this returns; throws what the file system throws. */
export function appendToChain(
  root: string,
  day: string,
  last: ChainLine | undefined,
  about: { readonly at: string; readonly subject: ChainSubject },
  key: SigningKey,
): void {
  const { type, ...subject } = about.subject
  const link = { number: (last?.entry.number ?? 0) + 1, at: about.at, type, ...subject }
  const body = JSON.stringify({ ...link, keyId: key.keyId, previous: last?.hash ?? NO_LINE })
  const signature = key.sign(Buffer.from(body)).toString('base64')
  const line = Buffer.from(`${body.slice(0, -1)},"signature":"${signature}"}\n`)
  const fd = openSync(join(root, day, CHAIN_FILE), 'a')
  try {
    let done = 0
    while (done < line.length) done += writeSync(fd, line, done)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** The last day's last line; what a crash tore behind it is cut off. Throws what the file system throws. */
export function lastLine(root: string): { readonly day: string; readonly line: ChainLine } | undefined {
  for (const day of chainDays(root).reverse()) {
    const line = lastLineOf(join(root, day, CHAIN_FILE))
    if (line !== undefined) return { day, line }
  }
  return undefined
}

function lastLineOf(path: string): ChainLine | undefined {
  const fd = openSync(path, 'r+')
  try {
    const { size } = fstatSync(fd)
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES))
    readSync(fd, tail, 0, tail.length, size - tail.length)
    const end = tail.lastIndexOf(0x0a)
    if (end + 1 < tail.length) ftruncateSync(fd, size - (tail.length - end - 1))
    const text = tail.subarray(0, Math.max(0, end)).toString()
    return parseChainLine(text.slice(text.lastIndexOf('\n') + 1))
  } finally {
    closeSync(fd)
  }
}
