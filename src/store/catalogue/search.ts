// How a filter becomes one fast query: by the few rows that its rarest condition leaves, along an index in the order of the list, or along all.

import { type Expression, type ExpressionBuilder, type Kysely, type SqlBool, sql } from 'kysely'
import type { CatalogueFilter, CatalogueQuery } from './catalogue.ts'
import { type DatabaseEngine, isIndexed, type Term } from './engine.ts'
import { customKey, type Key, keyOf, partyTerm, termsOf } from './index-terms.ts'
import type { Tables } from './tables.ts'

/** A condition that leaves more rows than this is common: a page of its matches is found soon by walking in order. */
const FEW = 1000

/** So much more than what counts as few is looked up, so that some deleted ones among it do not matter to who counts. */
const SPARE = 1.05

/** As many numbers as a statement lists itself. */
const LISTED = 64

/** Keeps PostgreSQL from turning a look into an index per row into a join with the whole table, for a page that is full after a hundred rows. */
const FENCE = { limit: 1, offset: 0 }

/** How to run a query. */
export interface SearchPlan {
  readonly filter: CatalogueFilter
  /** The rows that one of the conditions leaves; every other condition is still to be checked. */
  readonly candidates?: readonly number[]
  /** Else: a key along whose index the rows stand in order. */
  readonly driver?: Key
  /** Some of the rows that the terms in the index of texts leave, where there are more than a few. */
  readonly sample?: readonly number[]
  readonly keys: readonly Key[]
  readonly terms: readonly Term[]
}

/** A row as the tables have it. */
export interface FoundRow {
  readonly row_no: number
  readonly started_at_ms: number
  readonly store: string
  readonly facts: string
  readonly notes: string
}

/**
 * Finds out which condition leaves the fewest rows. `few`: what counts as few; where the order of the matches does not matter, or all
 * of so many are wanted, looking up more of them is cheaper than walking through everything.
 */
export async function planSearch(
  database: Kysely<Tables>,
  engine: DatabaseEngine,
  filter: CatalogueFilter,
  few = FEW,
): Promise<SearchPlan> {
  const keys = filterKeys(filter)
  const terms = filterTerms(filter)
  let fewest: { readonly rows: readonly number[]; readonly met: readonly (Key | Term)[] } | undefined
  const probe = (rows: readonly number[] | undefined, met: readonly (Key | Term)[]): void => {
    if (rows === undefined || rows.length > few || rows.length >= (fewest?.rows.length ?? few + 1)) return
    fewest = { rows, met }
  }
  for (const key of keys) probe(await keyHits(database, key, few + 1), [key])
  // Words that are common may be rare together.
  const indexed = terms.filter(isIndexed)
  let sample: readonly number[] | undefined
  if (indexed.length > 0 && fewest?.rows.length !== 0) {
    const hits = await engine.hits(database, indexed, Math.ceil(few * SPARE) + 1)
    if (hits.length > few) sample = hits
    probe(hits, indexed)
  }
  if (fewest === undefined) probe(await durationHits(database, filter, few + 1), [])
  const plan = { filter, keys, terms, ...(sample && { sample }) }
  if (fewest !== undefined) {
    const { rows, met } = fewest
    // What the candidates were found by needs no second look.
    return {
      filter,
      candidates: rows,
      keys: keys.filter((key) => !met.includes(key)),
      terms: terms.filter((term) => !met.includes(term)),
    }
  }
  const driver = keys.find(({ kind }) => kind !== 'state' && kind !== 'held' && kind !== 'store') ?? keys[0]
  return { ...plan, ...(driver && { driver }) }
}

/** A page of the matches of a plan, newest first. */
export async function findPage(
  database: Kysely<Tables>,
  engine: DatabaseEngine,
  plan: SearchPlan,
  { limit, offset = 0, after }: CatalogueQuery,
): Promise<FoundRow[]> {
  if (plan.candidates?.length === 0) return []
  const driver = plan.candidates === undefined ? plan.driver : undefined
  const order = driver === undefined ? 'siprec_recording' : 'driver'
  let query = matching(database, engine, plan)
    .select(['siprec_recording.row_no', 'siprec_recording.started_at_ms', 'store', 'facts', 'notes'])
    .orderBy(`${order}.started_at_ms` as 'siprec_recording.started_at_ms', 'desc')
    .orderBy(`${order}.row_no` as 'siprec_recording.row_no', 'desc')
    .limit(limit)
    .offset(offset)
  if (after !== undefined) {
    const place = sql`(${sql.ref(`${order}.started_at_ms`)}, ${sql.ref(`${order}.row_no`)})`
    query = query.where(sql<SqlBool>`${place} < (${after.startedAtMs}, ${after.rowNo})`)
  }
  return await query.execute()
}

/** How many rows match a plan; counting ends at `most`. */
export async function countMatches(
  database: Kysely<Tables>,
  engine: DatabaseEngine,
  plan: SearchPlan,
  most: number | undefined,
): Promise<number> {
  const { candidates, sample, terms } = plan
  if (candidates?.length === 0) return 0
  if (candidates === undefined && sample !== undefined && most !== undefined) {
    // Where that is enough of them nobody has to look at the rest.
    const rest = terms.filter((term) => !isIndexed(term))
    const { filter, keys } = plan
    if ((await countOf(database, engine, { filter, keys, terms: rest, candidates: sample }, most)) >= most) return most
  }
  return await countOf(database, engine, plan, most)
}

async function countOf(
  database: Kysely<Tables>,
  engine: DatabaseEngine,
  plan: SearchPlan,
  most: number | undefined,
): Promise<number> {
  const matches = matching(database, engine, plan).select('siprec_recording.row_no')
  const bounded = most === undefined ? matches : matches.limit(most)
  const { total } = await database
    .selectFrom(bounded.as('matches'))
    .select((builder) => builder.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow()
  return Number(total)
}

/** Numbers of the newest `most` rows that match a plan. */
export function newestRows(database: Kysely<Tables>, engine: DatabaseEngine, plan: SearchPlan, most: number) {
  const { candidates, driver } = plan
  const order = candidates === undefined && driver !== undefined ? 'driver' : 'siprec_recording'
  return matching(database, engine, plan)
    .select('siprec_recording.row_no')
    .orderBy(`${order}.started_at_ms` as 'siprec_recording.started_at_ms', 'desc')
    .orderBy(`${order}.row_no` as 'siprec_recording.row_no', 'desc')
    .limit(most)
}

function matching(database: Kysely<Tables>, engine: DatabaseEngine, plan: SearchPlan) {
  const { candidates, driver, filter } = plan
  const isDriven = candidates === undefined && driver !== undefined
  const from = isDriven
    ? database
        .selectFrom('siprec_key as driver')
        .innerJoin('siprec_recording', 'siprec_recording.row_no', 'driver.row_no')
        .where('driver.kind', '=', driver.kind)
        .where('driver.value', '=', driver.value)
        .where((builder) => builder.and(timeConditions(filter, 'driver.started_at_ms')))
    : database.selectFrom('siprec_recording')
  return (from as ReturnType<typeof plain>)
    .$if(candidates !== undefined, (query) => query.where(isAmong(engine, candidates ?? [])))
    .where((builder) => builder.and(conditions(builder, engine, plan, isDriven)))
}

/** A few numbers are looked up one by one; for many, given as one parameter, the database may as well walk. */
function isAmong(engine: DatabaseEngine, rows: readonly number[]): Expression<SqlBool> {
  const numbers = rows.length <= LISTED ? sql.join(rows) : engine.numbersOf(JSON.stringify(rows))
  return sql<SqlBool>`siprec_recording.row_no in (${numbers})`
}

function plain(database: Kysely<Tables>) {
  return database.selectFrom('siprec_recording')
}

function conditions(
  builder: ExpressionBuilder<Tables, 'siprec_recording'>,
  engine: DatabaseEngine,
  { filter, keys, terms, driver }: SearchPlan,
  isDriven: boolean,
): Expression<SqlBool>[] {
  const all = isDriven ? [] : timeConditions(filter, 'siprec_recording.started_at_ms')
  const { deleted = 'without', minDurationMs, maxDurationMs } = filter
  if (deleted !== 'with') all.push(builder('is_deleted', '=', deleted === 'only' ? 1 : 0))
  if (minDurationMs !== undefined) all.push(builder('duration_ms', '>=', minDurationMs))
  if (maxDurationMs !== undefined) all.push(builder('duration_ms', '<=', maxDurationMs))
  for (const key of keys) if (!isDriven || key !== driver) all.push(hasKey(key))
  if (terms.length > 0) {
    const texts = builder
      .selectFrom('siprec_text')
      .select('siprec_text.row_no')
      .whereRef('siprec_text.row_no', '=', 'siprec_recording.row_no')
      .where((inner) => inner.and(terms.map(({ column, text }) => engine.contains(column, text))))
      .limit(FENCE.limit)
      .offset(FENCE.offset)
    all.push(builder.exists(texts))
  }
  return all
}

function timeConditions({ fromMs, toMs }: CatalogueFilter, column: string): Expression<SqlBool>[] {
  const time = sql.ref(column)
  return [
    ...(fromMs === undefined ? [] : [sql<SqlBool>`${time} >= ${fromMs}`]),
    ...(toMs === undefined ? [] : [sql<SqlBool>`${time} < ${toMs}`]),
  ]
}

/** All four columns of the key's primary key are given: a single look into its index. */
function hasKey({ kind, value }: Key): Expression<SqlBool> {
  return sql<SqlBool>`exists (select 1 from siprec_key where siprec_key.kind = ${kind} and siprec_key.value = ${value}
    and siprec_key.started_at_ms = siprec_recording.started_at_ms and siprec_key.row_no = siprec_recording.row_no
    limit ${FENCE.limit} offset ${FENCE.offset})`
}

function filterKeys(filter: CatalogueFilter): Key[] {
  const keys: Key[] = []
  const add = (kind: Key['kind'], value: string | undefined): void => {
    if (value !== undefined) keys.push(keyOf(kind, value))
  }
  add('id', filter.id)
  for (const tag of filter.tags ?? []) add('tag', tag)
  for (const [name, value] of Object.entries(filter.custom ?? {})) keys.push(customKey(name, value))
  add('cause', filter.cause)
  add('caller', filter.caller)
  add('called', filter.called)
  add('codec', filter.codec)
  add('vendor', filter.vendor)
  add('verdict', filter.verdict)
  add('upload', filter.uploadState)
  add('state', filter.state)
  if (filter.isHeld !== undefined) add('held', filter.isHeld ? 'yes' : 'no')
  add('store', filter.store)
  return keys
}

function filterTerms({ party, text }: CatalogueFilter): Term[] {
  const terms: Term[] = text === undefined ? [] : termsOf(text).map((term) => ({ column: 'content', text: term }))
  if (party !== undefined && partyTerm(party) !== '') terms.unshift({ column: 'party', text: partyTerm(party) })
  return terms
}

async function keyHits(database: Kysely<Tables>, { kind, value }: Key, most: number): Promise<number[]> {
  const query = database.selectFrom('siprec_key').select('row_no').where('kind', '=', kind).where('value', '=', value)
  return (await query.limit(most).execute()).map(({ row_no }) => row_no)
}

async function durationHits(
  database: Kysely<Tables>,
  { minDurationMs, maxDurationMs }: CatalogueFilter,
  most: number,
): Promise<number[] | undefined> {
  if (minDurationMs === undefined && maxDurationMs === undefined) return undefined
  let query = database.selectFrom('siprec_recording').select('row_no')
  if (minDurationMs !== undefined) query = query.where('duration_ms', '>=', minDurationMs)
  if (maxDurationMs !== undefined) query = query.where('duration_ms', '<=', maxDurationMs)
  return (await query.limit(most).execute()).map(({ row_no }) => row_no)
}
