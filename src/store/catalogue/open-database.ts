// Opening the catalogue's database, SQLite in a file or PostgreSQL by its address, with its tables brought up to date.

import { Kysely, PostgresDialect, SqliteDialect } from 'kysely'
import pg from 'pg'
import { type DatabaseEngine, postgresEngine, sqliteEngine } from './engine.ts'
import { guarded } from './guarded.ts'
import { JobQueue } from './job-queue.ts'
import { migrate } from './migrations.ts'
import { SqlCatalogue } from './sql-catalogue.ts'
import { openSqlite } from './sqlite-driver.ts'
import type { Tables } from './tables.ts'

/** An open database. */
interface CatalogueDatabase {
  readonly database: Kysely<Tables>
  readonly engine: DatabaseEngine
}

const CONNECTIONS = 4
const CONNECT_MS = 15_000
const STATEMENT_MS = 30_000
/** Type number of bigint in PostgreSQL. */
const BIGINT = 20

/** Opens a database; `location` is a `postgres://` address, or a file of SQLite (`:memory:` for none). Rejects with AppError `store.catalogue`. */
export async function openCatalogueDatabase(location: string): Promise<CatalogueDatabase> {
  return await guarded(async () => {
    const opened = isPostgres(location) ? openPostgres(location) : await openFile(location)
    try {
      await migrate(opened.database, opened.engine)
    } catch (fault) {
      await opened.database.destroy().catch(() => {})
      throw fault
    }
    return opened
  })
}

/** Opens the catalogue alone; `store` is the name of the store that it is written for. Rejects with AppError `store.catalogue`. */
export async function openCatalogue(location: string, store = 'recorder'): Promise<SqlCatalogue> {
  return (await openCatalogueAndJobs(location, store)).catalogue
}

/** Opens the catalogue and the jobs of a store; closing the catalogue closes both. */
export async function openCatalogueAndJobs(
  location: string,
  store: string,
): Promise<{ readonly catalogue: SqlCatalogue; readonly jobs: JobQueue }> {
  const { database, engine } = await openCatalogueDatabase(location)
  return { catalogue: new SqlCatalogue(database, engine, store), jobs: new JobQueue(database, engine, store) }
}

/** Whether a location is the address of a PostgreSQL database. */
function isPostgres(location: string): boolean {
  return /^postgres(ql)?:\/\//.test(location)
}

async function openFile(path: string): Promise<CatalogueDatabase> {
  const database = new Kysely<Tables>({ dialect: new SqliteDialect({ database: await openSqlite(path) }) })
  return { database, engine: sqliteEngine }
}

function openPostgres(address: string): CatalogueDatabase {
  const pool = new pg.Pool({
    connectionString: address,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: STATEMENT_MS,
    application_name: 'siprec-gateway',
    // Compiling a query of ours takes longer than running it.
    options: '-c jit=off',
    // Times and sizes are whole numbers below 2^53; the driver gives text for 64 bits.
    types: { getTypeParser: (type, format) => (type === BIGINT ? Number : pg.types.getTypeParser(type, format)) },
  })
  // An idle connection that breaks is replaced at the next query, which tells whether the database is there.
  pool.on('error', () => {})
  return { database: new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }), engine: postgresEngine }
}
