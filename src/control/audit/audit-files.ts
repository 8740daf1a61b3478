// The files of the audit log: the one that is written to, and those that are full.

import { readdir, readFile, rename, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import type { AuditEntry } from './audit-entry.ts'

const currentName = 'audit.jsonl'
const fullName = /^audit-(\d{12})\.jsonl$/

/** Path of the file that is written to. */
export function currentFile(folder: string): string {
  return join(folder, currentName)
}

/** Every file, the newest first. */
export async function auditFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((): string[] => [])
  const full = names
    .filter((name) => fullName.test(name))
    .toSorted()
    .reverse()
  return [...(names.includes(currentName) ? [currentName] : []), ...full].map((name) => join(folder, name))
}

/** The entries of a file, oldest first; a line that was not finished is left out. */
export async function entriesOf(file: string): Promise<AuditEntry[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as AuditEntry)
}

/** Puts the file aside under the number of its last entry, and removes the oldest beyond `keep`, the next one counted. */
export async function putAside(folder: string, lastSeq: number, keep: number): Promise<void> {
  await rename(currentFile(folder), join(folder, `audit-${String(lastSeq).padStart(12, '0')}.jsonl`))
  const files = await auditFiles(folder)
  await Promise.all(files.slice(Math.max(1, keep - 1)).map((file) => rm(file, { force: true })))
}

/** Cuts off a line that a crash left unfinished; gives the size. */
export async function mend(file: string): Promise<number> {
  const bytes = await readFile(file).catch(() => Buffer.alloc(0))
  const size = bytes.lastIndexOf(0x0a) + 1
  if (size < bytes.length) await truncate(file, size)
  return size
}
