// The SQLite that is at hand, node:sqlite or its twin for older Node.js, in the shape that kysely's dialect wants.

import type { SqliteDatabase, SqliteStatement } from 'kysely'

interface SyncStatement {
  all(...parameters: unknown[]): unknown[]
  run(...parameters: unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint }
  iterate(...parameters: unknown[]): IterableIterator<unknown>
  columns(): unknown[]
}

interface SyncDatabase {
  exec(sql: string): void
  prepare(sql: string): SyncStatement
  close(): void
}

type DatabaseModule = { DatabaseSync: new (path: string) => SyncDatabase }

const MOST_STATEMENTS = 200

/** Opens a database file (`:memory:` for none) in WAL mode; throws when no SQLite is installed or the file is unusable. */
export async function openSqlite(path: string): Promise<SqliteDatabase> {
  const { DatabaseSync } = await loadModule()
  const database = new DatabaseSync(path)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 2000')
  // A statement's memory is freed when the garbage collector comes by, which does not see how much it is; so they are used again.
  const statements = new Map<string, SqliteStatement>()
  return {
    close: () => database.close(),
    // A transaction that reads first and then writes would fail where another process wrote between; so it locks at once.
    prepare: (sql) => {
      const known = statements.get(sql)
      if (known !== undefined) return known
      const statement = statementOf(database.prepare(sql === 'begin' ? 'begin immediate' : sql))
      const [oldest] = statements.keys()
      if (statements.size >= MOST_STATEMENTS && oldest !== undefined) statements.delete(oldest)
      statements.set(sql, statement)
      return statement
    },
  }
}

/** Opens a file that holds nothing and is there to be locked; whoever wants the lock waits so long. */
export async function openLockFile(path: string, waitMs: number): Promise<Pick<SyncDatabase, 'exec' | 'close'>> {
  const { DatabaseSync } = await loadModule()
  const database = new DatabaseSync(path)
  database.exec(`PRAGMA busy_timeout = ${waitMs}`)
  return database
}

async function loadModule(): Promise<DatabaseModule> {
  // The names are variables because neither module is sure to be there at compile time or at run time.
  const names = ['node:sqlite', '@photostructure/sqlite']
  let failure: unknown
  for (const name of names) {
    try {
      return (await import(name)) as DatabaseModule
    } catch (thrown) {
      failure = thrown
    }
  }
  throw failure
}

function statementOf(statement: SyncStatement): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...parameters),
    run: (parameters) => statement.run(...parameters),
    iterate: (parameters) => statement.iterate(...parameters),
  }
}
