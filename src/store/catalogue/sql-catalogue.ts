// The catalogue in a database; the code is the same for SQLite and PostgreSQL.

import type { Kysely, Transaction } from 'kysely'
import type {
  Catalogue,
  CatalogueFilter,
  CataloguePage,
  CatalogueQuery,
  CatalogueRow,
  Facets,
  RecordingNotes,
} from './catalogue.ts'
import { CountChanges, recount } from './counts.ts'
import type { DatabaseEngine } from './engine.ts'
import { type FacetLimits, findFacets } from './facets.ts'
import { guarded } from './guarded.ts'
import { keysOf, metadataOf, textOf } from './index-terms.ts'
import { insertNew } from './insert-new.ts'
import { countMatches, type FoundRow, findPage, planSearch } from './search.ts'
import type { Tables } from './tables.ts'

const MOST_ROWS = 1000
const COLUMNS = ['row_no', 'started_at_ms', 'store', 'facts', 'notes'] as const

/** What is written of a recording at once. */
export interface Entry {
  readonly row: CatalogueRow
  /** What its metadata documents say; the old text stays where this is left out. */
  readonly metadata?: string
  /** Replaces the notes that are there. */
  readonly notes?: RecordingNotes
  /** What the folder has noted, maybe a while ago: of a row that is there the own notes stay, and holds are added. */
  readonly folderNotes?: RecordingNotes
}

/** The catalogue over a database that has its tables. */
export class SqlCatalogue implements Catalogue {
  readonly #database: Kysely<Tables>
  readonly #engine: DatabaseEngine
  readonly #store: string

  /** `store` is the name under which rows are written. */
  constructor(database: Kysely<Tables>, engine: DatabaseEngine, store: string) {
    this.#database = database
    this.#engine = engine
    this.#store = store
  }

  async put(row: CatalogueRow): Promise<void> {
    await this.putAll([{ row }])
  }

  /** Writes several recordings in one transaction; a deleted recording is left as it is. */
  async putAll(entries: readonly Entry[]): Promise<void> {
    await guarded(() =>
      this.#database.transaction().execute(async (transaction) => {
        const counts = new CountChanges()
        const written = entries.length > 1 ? await this.#insertNew(transaction, entries, counts) : undefined
        for (const entry of entries) {
          if (written?.has(entry.row.recordingId) !== true) await this.#write(transaction, entry, counts)
        }
        await counts.write(transaction)
      }),
    )
  }

  async get(recordingId: string): Promise<CatalogueRow | undefined> {
    const query = this.#database.selectFrom('siprec_recording').select(COLUMNS).where('recording_id', '=', recordingId)
    const found = await guarded(() => query.executeTakeFirst())
    return found && rowOfFound(found)
  }

  async list(query: CatalogueQuery): Promise<CatalogueRow[]> {
    return [...(await this.page(query)).rows]
  }

  /** A page with the place where the next one begins. */
  async page(query: CatalogueQuery): Promise<CataloguePage> {
    const limit = Math.max(1, Math.min(MOST_ROWS, Math.floor(query.limit)))
    const offset = Math.max(0, Math.floor(query.offset ?? 0))
    return await guarded(async () => {
      const plan = await planSearch(this.#database, this.#engine, query)
      const found = await findPage(this.#database, this.#engine, plan, { ...query, limit, offset })
      const last = found.length === limit ? found.at(-1) : undefined
      const next = last && { startedAtMs: last.started_at_ms, rowNo: last.row_no }
      return { rows: found.map(rowOfFound), ...(next && { next }) }
    })
  }

  async count(filter: CatalogueFilter, most?: number): Promise<number> {
    return await guarded(async () => {
      const plan = await planSearch(this.#database, this.#engine, filter, most)
      return await countMatches(this.#database, this.#engine, plan, most)
    })
  }

  /** What the recordings that match have in common. */
  async facets(filter: CatalogueFilter, limits?: Partial<FacetLimits>): Promise<Facets> {
    return await guarded(() => findFacets(this.#database, this.#engine, filter, limits))
  }

  /** Counts anew what `facets` tells of all recordings. */
  async recount(): Promise<void> {
    await guarded(() => this.#database.transaction().execute((transaction) => recount(transaction, this.#engine)))
  }

  /** Changes the notes of a recording; `change` gives undefined to leave them. Resolves with the row then, undefined if there is none. */
  async annotate(
    recordingId: string,
    change: (row: CatalogueRow) => RecordingNotes | undefined,
  ): Promise<CatalogueRow | undefined> {
    return await guarded(() =>
      this.#database.transaction().execute(async (transaction) => {
        const locked = await this.#locked(transaction, recordingId)
        if (locked === undefined) return undefined
        const row = rowOfFound(locked)
        const notes = change(row)
        if (notes === undefined) return row
        const changed = { ...factsOf(row), store: locked.store, ...notes }
        const counts = new CountChanges()
        await this.#write(transaction, { row: changed, notes }, counts)
        await counts.write(transaction)
        return changed
      }),
    )
  }

  async remove(recordingId: string): Promise<void> {
    await guarded(() =>
      this.#database.transaction().execute(async (transaction) => {
        const found = await this.#locked(transaction, recordingId)
        if (found === undefined) return
        const rowNo = found.row_no
        const counts = new CountChanges()
        await this.#removeKeys(transaction, found, counts)
        await transaction.deleteFrom('siprec_text').where('row_no', '=', rowNo).execute()
        await this.#engine.unindexText(transaction, rowNo)
        await transaction.deleteFrom('siprec_recording').where('row_no', '=', rowNo).execute()
        await counts.write(transaction)
      }),
    )
  }

  /** Removes the rows of this store that began before `nowMs`, but for those of these recordings; resolves with how many. */
  async removeUnseen(recordingIds: ReadonlySet<string>, nowMs: number): Promise<number> {
    const query = this.#database
      .selectFrom('siprec_recording')
      .select('recording_id')
      .where('store', '=', this.#store)
      .where('started_at_ms', '<', Math.floor(nowMs))
    const rows = await guarded(() => query.execute())
    const unseen = rows.filter(({ recording_id }) => !recordingIds.has(recording_id))
    for (const { recording_id } of unseen) await this.remove(recording_id)
    return unseen.length
  }

  /** Rows of this store that are still `receiving` though their recorder, which began them before `nowMs`, is gone: they are lost. */
  async settleReceiving(nowMs: number): Promise<number> {
    const lost = { state: 'no-audio', cause: 'lost', recovered: true } as const
    let settled = 0
    for (;;) {
      const rows = await this.list({
        state: 'receiving',
        store: this.#store,
        toMs: Math.floor(nowMs),
        limit: MOST_ROWS,
      })
      if (rows.length === 0) return settled
      await this.putAll(rows.map((row) => ({ row: { ...row, ...lost } })))
      settled += rows.length
    }
  }

  async close(): Promise<void> {
    await guarded(() => this.#database.destroy())
  }

  /** Of several entries of one recording only the last counts, so all of them go the way of one that is there. */
  async #insertNew(
    transaction: Transaction<Tables>,
    entries: readonly Entry[],
    counts: CountChanges,
  ): Promise<ReadonlySet<string>> {
    const byId = new Map(entries.map((entry) => [entry.row.recordingId, entry]))
    if (byId.size < entries.length) return new Set()
    const query = transaction.selectFrom('siprec_recording').select('recording_id')
    const there = await query.where('recording_id', 'in', [...byId.keys()]).execute()
    for (const { recording_id } of there) byId.delete(recording_id)
    const rows = [...byId.values()].map(({ row, metadata = '', folderNotes, notes = folderNotes ?? notesOf(row) }) => ({
      recordingId: row.recordingId,
      ...this.#valuesOf(row, notes),
      metadata,
    }))
    return await insertNew(transaction, this.#engine, rows, counts)
  }

  #valuesOf(row: CatalogueRow, notes: RecordingNotes) {
    const facts = factsOf(row)
    const { store = this.#store, startedAtMs, durationMs } = row
    const values = {
      store,
      started_at_ms: Math.round(startedAtMs),
      duration_ms: Math.round(durationMs),
      is_deleted: notes.deletion === undefined ? 0 : 1,
      facts: JSON.stringify(facts),
      notes: JSON.stringify(notes),
    }
    return { values, whole: { ...facts, ...notes, store } }
  }

  async #write(
    transaction: Transaction<Tables>,
    { row, metadata, folderNotes, notes: given }: Entry,
    counts: CountChanges,
  ): Promise<void> {
    const old = await this.#locked(transaction, row.recordingId)
    const own = old && (JSON.parse(old.notes) as RecordingNotes)
    const notes = given ?? (own === undefined ? (folderNotes ?? notesOf(row)) : withHolds(own, folderNotes))
    if (old !== undefined && given === undefined && notes.deletion !== undefined) return
    const { values, whole } = this.#valuesOf(row, notes)
    const { row_no } = await transaction
      .insertInto('siprec_recording')
      .values({ recording_id: row.recordingId, ...values })
      .onConflict((conflict) => conflict.column('recording_id').doUpdateSet(values))
      .returning('row_no')
      .executeTakeFirstOrThrow()
    // Of a row that was not there nothing else is there either.
    if (old !== undefined) await this.#removeKeys(transaction, old, counts)
    const keys = keysOf(whole)
    counts.add(values.store, keys, 1)
    const placed = keys.map((key) => ({ ...key, started_at_ms: values.started_at_ms, row_no }))
    await transaction.insertInto('siprec_key').values(placed).execute()
    await this.#writeText(transaction, row_no, whole, old === undefined ? (metadata ?? '') : metadata)
  }

  async #removeKeys(
    transaction: Transaction<Tables>,
    { row_no, store }: FoundRow,
    counts: CountChanges,
  ): Promise<void> {
    const query = transaction.deleteFrom('siprec_key').where('row_no', '=', row_no).returning(['kind', 'value'])
    counts.add(store, await query.execute(), -1)
  }

  async #writeText(transaction: Transaction<Tables>, rowNo: number, row: CatalogueRow, given: string | undefined) {
    let metadata = given ?? ''
    if (given === undefined && row.deletion === undefined) {
      const query = transaction.selectFrom('siprec_text').select('content').where('row_no', '=', rowNo)
      metadata = metadataOf((await query.executeTakeFirst())?.content ?? '')
    }
    const text = textOf(row, metadata)
    await transaction
      .insertInto('siprec_text')
      .values({ row_no: rowNo, ...text })
      .onConflict((conflict) => conflict.column('row_no').doUpdateSet(text))
      .execute()
    await this.#engine.indexText(transaction, rowNo, text.party, text.content)
  }

  async #locked(transaction: Transaction<Tables>, recordingId: string): Promise<FoundRow | undefined> {
    const query = transaction.selectFrom('siprec_recording').select(COLUMNS).where('recording_id', '=', recordingId)
    return await (this.#engine.skipLocked ? query.forUpdate() : query).executeTakeFirst()
  }
}

/** The notes of a row, alone. */
export function notesOf({ tags, holds, uploadState, deletion }: CatalogueRow): RecordingNotes {
  return {
    ...(tags?.length && { tags }),
    ...(holds?.length && { holds }),
    ...(uploadState && { uploadState }),
    ...(deletion && { deletion }),
  }
}

/** A hold that only the folder knows of keeps the recording all the same. */
function withHolds(own: RecordingNotes, folderNotes: RecordingNotes = {}): RecordingNotes {
  const holds = [...(own.holds ?? []), ...(folderNotes.holds ?? [])]
  const once = new Map(holds.map((hold) => [JSON.stringify([hold.reason, hold.actor, hold.atMs]), hold]))
  return { ...folderNotes, ...own, ...(once.size > 0 && { holds: [...once.values()] }) }
}

function factsOf(row: CatalogueRow): CatalogueRow {
  const { tags: _tags, holds: _holds, uploadState: _upload, deletion: _deletion, store: _store, ...facts } = row
  return facts
}

function rowOfFound({ store, facts, notes }: FoundRow): CatalogueRow {
  return { ...(JSON.parse(facts) as CatalogueRow), ...(JSON.parse(notes) as RecordingNotes), store }
}
