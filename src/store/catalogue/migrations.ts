// The way from an empty database to today's tables, the same for both engines.

import { type Kysely, type Migration, Migrator, sql } from 'kysely'
import type { CatalogueRow, RecordingNotes } from './catalogue.ts'
import { recount } from './counts.ts'
import type { DatabaseEngine } from './engine.ts'
import { keysOf, laterKinds } from './index-terms.ts'
import type { Tables } from './tables.ts'

const ROWS_AT_ONCE = 200

/** Brings a database to today's tables; several processes may do so at once on PostgreSQL. Rejects with what the database throws. */
export async function migrate(database: Kysely<Tables>, engine: DatabaseEngine): Promise<void> {
  const migrator = new Migrator({
    db: database,
    provider: { getMigrations: async () => migrationsFor(engine) },
    migrationTableName: 'siprec_migration',
    migrationLockTableName: 'siprec_migration_lock',
  })
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined) throw error
}

function migrationsFor(engine: DatabaseEngine): Record<string, Migration> {
  return {
    '001-recordings': {
      up: async (database: Kysely<Tables>) => {
        // The first catalogue had a table of JSON; what stood in it stands in the folders.
        if (!engine.skipLocked) {
          await database.schema.dropTable('recording').ifExists().execute()
          await database.schema.dropTable('migration').ifExists().execute()
        }
        await createRecordings(database, engine)
        await createKeys(database, engine)
        await createTexts(database)
        await engine.installTextIndex(database)
      },
    },
    '002-jobs': { up: (database: Kysely<Tables>) => createJobs(database, engine) },
    '003-facets': { up: addLaterKeys },
    '004-counts': { up: (database: Kysely<Tables>) => createCounts(database, engine) },
  }
}

async function createRecordings(database: Kysely<Tables>, engine: DatabaseEngine): Promise<void> {
  await database.schema
    .createTable('siprec_recording')
    .addColumn('row_no', engine.rowNo, (column) => column.primaryKey())
    .addColumn('recording_id', 'text', (column) => column.notNull().unique())
    .addColumn('store', 'text', (column) => column.notNull())
    .addColumn('started_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('duration_ms', 'bigint', (column) => column.notNull())
    .addColumn('is_deleted', 'integer', (column) => column.notNull())
    .addColumn('facts', 'text', (column) => column.notNull())
    .addColumn('notes', 'text', (column) => column.notNull())
    .execute()
  await database.schema
    .createIndex('siprec_recording_order')
    .on('siprec_recording')
    .columns(['is_deleted', 'started_at_ms', 'row_no'])
    .execute()
  await database.schema
    .createIndex('siprec_recording_duration')
    .on('siprec_recording')
    .columns(['duration_ms', 'started_at_ms'])
    .execute()
}

async function createKeys(database: Kysely<Tables>, engine: DatabaseEngine): Promise<void> {
  await database.schema
    .createTable('siprec_key')
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('value', 'text', (column) => column.notNull())
    .addColumn('started_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('row_no', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('siprec_key_primary', ['kind', 'value', 'started_at_ms', 'row_no'])
    .modifyEnd(sql.raw(engine.keyTable))
    .execute()
  await database.schema.createIndex('siprec_key_row').on('siprec_key').column('row_no').execute()
}

/** Rows of before get what they are counted by, as far as they know it themselves. */
async function addLaterKeys(database: Kysely<Tables>): Promise<void> {
  for (let last = 0; ; ) {
    const query = database.selectFrom('siprec_recording').select(['row_no', 'started_at_ms', 'store', 'facts', 'notes'])
    const rows = await query.where('row_no', '>', last).orderBy('row_no').limit(ROWS_AT_ONCE).execute()
    const keys = rows.flatMap(({ row_no, started_at_ms, store, facts, notes }) => {
      const row = { ...(JSON.parse(facts) as CatalogueRow), ...(JSON.parse(notes) as RecordingNotes), store }
      const later = keysOf(row).filter(({ kind }) => laterKinds.includes(kind))
      return later.map((key) => ({ ...key, started_at_ms, row_no }))
    })
    if (keys.length > 0) {
      await database
        .insertInto('siprec_key')
        .values(keys)
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    }
    last = rows.at(-1)?.row_no ?? last
    if (rows.length < ROWS_AT_ONCE) return
  }
}

async function createCounts(database: Kysely<Tables>, engine: DatabaseEngine): Promise<void> {
  await database.schema
    .createTable('siprec_count')
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('value', 'text', (column) => column.notNull())
    .addColumn('store', 'text', (column) => column.notNull())
    .addColumn('count', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('siprec_count_primary', ['kind', 'value', 'store'])
    .modifyEnd(sql.raw(engine.keyTable))
    .execute()
  await recount(database, engine)
}

async function createTexts(database: Kysely<Tables>): Promise<void> {
  await database.schema
    .createTable('siprec_text')
    .addColumn('row_no', 'bigint', (column) => column.primaryKey())
    .addColumn('party', 'text', (column) => column.notNull())
    .addColumn('content', 'text', (column) => column.notNull())
    .execute()
}

async function createJobs(database: Kysely<Tables>, engine: DatabaseEngine): Promise<void> {
  await database.schema
    .createTable('siprec_job')
    .addColumn('job_no', engine.rowNo, (column) => column.primaryKey())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('recording_id', 'text', (column) => column.notNull())
    .addColumn('store', 'text', (column) => column.notNull())
    .addColumn('due_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('leased_until_ms', 'bigint', (column) => column.notNull())
    .addColumn('last_error', 'text')
    .addUniqueConstraint('siprec_job_once', ['kind', 'recording_id'])
    .execute()
  await database.schema.createIndex('siprec_job_due').on('siprec_job').columns(['store', 'kind', 'due_at_ms']).execute()
}
