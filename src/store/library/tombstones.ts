// tombstones.jsonl in the root folder: what was deleted, when, by whom and why; a line each, only ever appended to.

import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Act, CatalogueRow } from '../catalogue/catalogue.ts'

const FILE = 'tombstones.jsonl'

/** What is left of a deleted recording: nobody's name or number, only ids and times. */
export interface Tombstone {
  readonly recordingId: string
  readonly startedAtMs: number
  readonly durationMs: number
  readonly state: CatalogueRow['state']
  readonly sipCallId: string
  readonly reference?: string
  readonly sessionIds: readonly string[]
  readonly deletion: Act
}

/** The tombstone of a row. */
export function tombstoneOf(row: CatalogueRow, deletion: Act): Tombstone {
  const { recordingId, startedAtMs, durationMs, state, sipCallId, reference, sessionIds } = row
  const ids = { sipCallId, ...(reference !== undefined && { reference }), sessionIds }
  return { recordingId, startedAtMs, durationMs, state, ...ids, deletion }
}

/** The row of a deleted recording. */
export function rowOfTombstone({ deletion, ...left }: Tombstone): CatalogueRow {
  const empty = { recovered: false, fromUri: '', toUri: '', groupIds: [], participants: [] }
  return { ...empty, streams: 0, packets: 0, warnings: 0, ...left, deletion }
}

/** Adds a tombstone, on a line of its own whatever a crash left; it is on disk when this resolves. */
export async function addTombstone(root: string, tombstone: Tombstone): Promise<void> {
  const file = await open(join(root, FILE), 'a+')
  try {
    const { size } = await file.stat()
    const last = Buffer.from('\n')
    if (size > 0) await file.read(last, 0, 1, size - 1)
    await file.appendFile(`${last.toString() === '\n' ? '' : '\n'}${JSON.stringify(tombstone)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** All tombstones, the last of each recording; lines that a crash tore are left out. */
export async function readTombstones(root: string): Promise<Tombstone[]> {
  const text = await readFile(join(root, FILE), 'utf8').catch(() => '')
  const tombstones = new Map<string, Tombstone>()
  for (const line of text.split('\n')) {
    const tombstone = parsed(line)
    if (tombstone !== undefined) tombstones.set(tombstone.recordingId, tombstone)
  }
  return [...tombstones.values()]
}

function parsed(line: string): Tombstone | undefined {
  try {
    const value = JSON.parse(line) as Tombstone | null
    return typeof value?.recordingId === 'string' && typeof value.deletion?.atMs === 'number' ? value : undefined
  } catch {
    return undefined
  }
}
