// The catalogue in an embedded SQLite database.

import {
  type Expression,
  type ExpressionBuilder,
  type Generated,
  Kysely,
  type SqlBool,
  SqliteDialect,
  sql,
} from 'kysely'
import { AppError, messageOf } from '#kernel'
import type { Catalogue, CatalogueQuery, CatalogueRow } from './catalogue.ts'
import { openSqlite } from './sqlite-driver.ts'

interface RecordingTable {
  recording_id: string
  state: string
  started_at_ms: number
  /** Lower-case text that searches look into. */
  search: string
  /** The row as JSON. */
  row: string
}

interface MigrationTable {
  version: Generated<number>
}

interface Tables {
  recording: RecordingTable
  migration: MigrationTable
}

type Filter = Omit<CatalogueQuery, 'limit' | 'offset'>

const MIGRATIONS: readonly ((database: Kysely<Tables>) => Promise<void>)[] = [
  async (database) => {
    await database.schema
      .createTable('recording')
      .addColumn('recording_id', 'text', (column) => column.primaryKey())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('started_at_ms', 'integer', (column) => column.notNull())
      .addColumn('search', 'text', (column) => column.notNull())
      .addColumn('row', 'text', (column) => column.notNull())
      .execute()
    await database.schema.createIndex('recording_started').on('recording').column('started_at_ms').execute()
  },
]

/** Opens, and if need be creates or migrates, the catalogue in a file; rejects with AppError `store.catalogue`. */
export async function openSqliteCatalogue(path: string): Promise<Catalogue> {
  return await guarded(async () => {
    const database = new Kysely<Tables>({ dialect: new SqliteDialect({ database: await openSqlite(path) }) })
    await migrate(database)
    return new SqliteCatalogue(database)
  })
}

class SqliteCatalogue implements Catalogue {
  readonly #database: Kysely<Tables>

  constructor(database: Kysely<Tables>) {
    this.#database = database
  }

  async put(row: CatalogueRow): Promise<void> {
    const values = {
      recording_id: row.recordingId,
      state: row.state,
      started_at_ms: Math.round(row.startedAtMs),
      search: searchText(row),
      row: JSON.stringify(row),
    }
    const query = this.#database.insertInto('recording').values(values)
    await guarded(() => query.onConflict((conflict) => conflict.column('recording_id').doUpdateSet(values)).execute())
  }

  async get(recordingId: string): Promise<CatalogueRow | undefined> {
    const query = this.#database.selectFrom('recording').select('row').where('recording_id', '=', recordingId)
    const found = await guarded(() => query.executeTakeFirst())
    return found && (JSON.parse(found.row) as CatalogueRow)
  }

  async list(query: CatalogueQuery): Promise<CatalogueRow[]> {
    const limit = Math.max(1, Math.min(1000, Math.floor(query.limit)))
    const rows = await guarded(() =>
      this.#database
        .selectFrom('recording')
        .select('row')
        .where((builder) => matching(builder, query))
        .orderBy('started_at_ms', 'desc')
        .orderBy('recording_id')
        .limit(limit)
        .offset(Math.max(0, Math.floor(query.offset ?? 0)))
        .execute(),
    )
    return rows.map((found) => JSON.parse(found.row) as CatalogueRow)
  }

  async count(query: Filter): Promise<number> {
    const selection = this.#database
      .selectFrom('recording')
      .select((builder) => builder.fn.countAll<number>().as('total'))
      .where((builder) => matching(builder, query))
    const { total } = await guarded(() => selection.executeTakeFirstOrThrow())
    return Number(total)
  }

  async remove(recordingId: string): Promise<void> {
    const query = this.#database.deleteFrom('recording').where('recording_id', '=', recordingId)
    await guarded(() => query.execute())
  }

  async close(): Promise<void> {
    await guarded(() => this.#database.destroy())
  }
}

async function migrate(database: Kysely<Tables>): Promise<void> {
  await database.schema
    .createTable('migration')
    .ifNotExists()
    .addColumn('version', 'integer', (column) => column.primaryKey())
    .execute()
  const done = await database.selectFrom('migration').select('version').execute()
  for (let version = done.length + 1; version <= MIGRATIONS.length; version++) {
    await database.transaction().execute(async (transaction) => {
      await MIGRATIONS[version - 1]!(transaction)
      await transaction.insertInto('migration').values({ version }).execute()
    })
  }
}

function matching(builder: ExpressionBuilder<Tables, 'recording'>, filter: Filter): Expression<SqlBool> {
  const conditions: Expression<SqlBool>[] = []
  if (filter.state !== undefined) conditions.push(builder('state', '=', filter.state))
  if (filter.fromMs !== undefined) conditions.push(builder('started_at_ms', '>=', filter.fromMs))
  if (filter.toMs !== undefined) conditions.push(builder('started_at_ms', '<', filter.toMs))
  if (filter.text) conditions.push(sql<SqlBool>`instr(search, ${filter.text.toLowerCase()}) > 0`)
  return builder.and(conditions)
}

function searchText(row: CatalogueRow): string {
  return [row.recordingId, row.fromUri, row.toUri, row.sipCallId, row.reference, ...row.sessionIds, ...row.participants]
    .filter((text) => text !== undefined)
    .join('\n')
    .toLowerCase()
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    const verdict = { result: 'server', reason: 'catalogue' } as const
    throw new AppError('store.catalogue', `catalogue: ${messageOf(cause)}`, verdict, { cause })
  }
}
