// Many recordings that the catalogue does not have yet, written together: a rebuild is a hundred thousand of them.

import type { Transaction } from 'kysely'
import type { CatalogueRow } from './catalogue.ts'
import type { CountChanges } from './counts.ts'
import type { DatabaseEngine } from './engine.ts'
import { keysOf, textOf } from './index-terms.ts'
import type { Tables } from './tables.ts'

/** A recording as it goes into the tables. */
export interface NewRow {
  readonly recordingId: string
  readonly values: Omit<Tables['siprec_recording'], 'row_no' | 'recording_id'>
  /** With its notes and store. */
  readonly whole: CatalogueRow
  /** What its metadata documents say. */
  readonly metadata: string
}

/** Rows of a statement; few sizes, so that SQLite's prepared statements are used again. */
const TOGETHER = 64

/** Inserts them all; what somebody else wrote meanwhile is left out. Resolves with the ids that were inserted; `counts` is told of their keys. */
export async function insertNew(
  transaction: Transaction<Tables>,
  engine: DatabaseEngine,
  rows: readonly NewRow[],
  counts: CountChanges,
): Promise<ReadonlySet<string>> {
  const numbers = new Map<string, number>()
  for (const some of chunks(rows)) {
    const inserted = await transaction
      .insertInto('siprec_recording')
      .values(some.map(({ recordingId, values }) => ({ recording_id: recordingId, ...values })))
      .onConflict((conflict) => conflict.column('recording_id').doNothing())
      .returning(['row_no', 'recording_id'])
      .execute()
    for (const { row_no, recording_id } of inserted) numbers.set(recording_id, row_no)
  }
  const own = rows.flatMap((row) => {
    const rowNo = numbers.get(row.recordingId)
    return rowNo === undefined ? [] : [{ ...row, rowNo }]
  })
  const keys = own.flatMap(({ rowNo, values, whole }) => {
    const of = keysOf(whole)
    counts.add(values.store, of, 1)
    return of.map((key) => ({ ...key, started_at_ms: values.started_at_ms, row_no: rowNo }))
  })
  for (const some of chunks(keys)) await transaction.insertInto('siprec_key').values(some).execute()
  const texts = own.map(({ rowNo, whole, metadata }) => ({ row_no: rowNo, ...textOf(whole, metadata) }))
  for (const some of chunks(texts)) await transaction.insertInto('siprec_text').values(some).execute()
  for (const { row_no, party, content } of texts) await engine.indexText(transaction, row_no, party, content)
  return new Set(numbers.keys())
}

function chunks<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / TOGETHER) }, (_, n) => all.slice(n * TOGETHER, (n + 1) * TOGETHER))
}
