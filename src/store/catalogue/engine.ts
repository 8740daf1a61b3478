// What differs between the two database engines: row numbers, the index over parts of texts, and taking jobs.

import { type Expression, type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely'
import type { Tables } from './tables.ts'

/** Columns that are searched for parts of texts. */
export type TextColumn = 'party' | 'content'

/** A part of a text, and where it is looked for. */
export interface Term {
  readonly column: TextColumn
  readonly text: string
}

/** One of the two engines. */
export interface DatabaseEngine {
  /** Column type of a row number that the database gives. */
  readonly rowNo: 'integer' | 'bigserial'
  /** End of the definition of a table that is nothing but its primary key. */
  readonly keyTable: string
  /** Locks the rows of a selection, and leaves out those that others have locked. */
  readonly skipLocked: boolean
  /** Keeps writers from the table of sums until the transaction ends, where they are not kept from everything anyway. */
  lockCounts(database: Kysely<Tables>): Promise<void>
  /** Makes the index over parts of texts. */
  installTextIndex(database: Kysely<Tables>): Promise<void>
  /** Tells the index of new texts, after they were written. */
  indexText(database: Kysely<Tables>, rowNo: number, party: string, content: string): Promise<void>
  unindexText(database: Kysely<Tables>, rowNo: number): Promise<void>
  /** Up to `most` rows that have each of these terms, all of them long enough for the index. */
  hits(database: Kysely<Tables>, terms: readonly Term[], most: number): Promise<number[]>
  /** The numbers of a JSON array as a selection: more of them than a statement may have parameters. */
  numbersOf(json: string): RawBuilder<unknown>
  /** Condition on a row of `siprec_text`. */
  contains(column: TextColumn, term: string): Expression<SqlBool>
}

/** Shortest part of a text that an index of trigrams can find. */
const SHORTEST_INDEXED = 3

/** Whether the index of texts can find a term. */
export function isIndexed({ text }: Term): boolean {
  return [...text].length >= SHORTEST_INDEXED
}

/** SQLite with FTS5 over trigrams. */
export const sqliteEngine: DatabaseEngine = {
  rowNo: 'integer',
  keyTable: 'without rowid',
  skipLocked: false,
  lockCounts: async () => {},
  installTextIndex: async (database) => {
    await sql`create virtual table siprec_trigram using fts5(
      party, content, tokenize = 'trigram', content = '', contentless_delete = 1)`.execute(database)
  },
  indexText: async (database, rowNo, party, content) => {
    await sql`insert or replace into siprec_trigram (rowid, party, content)
      values (${rowNo}, ${party}, ${content})`.execute(database)
  },
  unindexText: async (database, rowNo) => {
    await sql`delete from siprec_trigram where rowid = ${rowNo}`.execute(database)
  },
  hits: async (database, terms, most) => {
    const phrase = terms.map(({ column, text }) => `${column} : "${text.replaceAll('"', '""')}"`).join(' AND ')
    const found = await sql<{ row_no: number }>`select rowid as row_no from siprec_trigram
      where siprec_trigram match ${phrase} limit ${most}`.execute(database)
    return found.rows.map(({ row_no }) => row_no)
  },
  numbersOf: (json) => sql`select value from json_each(${json})`,
  contains: (column, term) => sql<SqlBool>`instr(${sql.ref(`siprec_text.${column}`)}, ${term}) > 0`,
}

/** PostgreSQL with pg_trgm. */
export const postgresEngine: DatabaseEngine = {
  rowNo: 'bigserial',
  keyTable: '',
  skipLocked: true,
  lockCounts: async (database) => {
    await sql`lock table siprec_count in exclusive mode`.execute(database)
  },
  installTextIndex: async (database) => {
    await sql`create extension if not exists pg_trgm`.execute(database)
    for (const column of ['party', 'content'] as const) {
      const name = sql.id(`siprec_text_${column}`)
      await sql`create index ${name} on siprec_text using gin (${sql.id(column)} gin_trgm_ops)`.execute(database)
    }
  },
  indexText: async () => {},
  unindexText: async () => {},
  hits: async (database, terms, most) => {
    const query = database
      .selectFrom('siprec_text')
      .select('row_no')
      .where((builder) => builder.and(terms.map(({ column, text }) => postgresEngine.contains(column, text))))
      .limit(most)
    return (await query.execute()).map(({ row_no }) => row_no)
  },
  numbersOf: (json) => sql`select value::bigint from json_array_elements_text(${json}::json)`,
  contains: (column, term) =>
    sql<SqlBool>`${sql.ref(`siprec_text.${column}`)} like ${`%${term.replace(/[\\%_]/g, '\\$&')}%`}`,
}
