// What the recordings of a search have in common: how many have which state, vendor, codec, tag, party or value of the metadata.

import { type Kysely, type RawBuilder, sql } from 'kysely'
import type {
  CatalogueFilter,
  CatalogueRow,
  FacetField,
  FacetKind,
  Facets,
  FacetValue,
  RecordingNotes,
} from './catalogue.ts'
import { countedKinds } from './counts.ts'
import type { DatabaseEngine } from './engine.ts'
import { folded, forEachCounted, type KeyKind, keyOf } from './index-terms.ts'
import { newestRows, planSearch } from './search.ts'
import type { Tables } from './tables.ts'

/** How much is counted and told. */
export interface FacetLimits {
  /** Newest matches that are counted at most, unless time is all that is asked for. */
  readonly rows: number
  /** Values of a kind. */
  readonly values: number
  readonly days: number
  readonly fields: number
}

interface Group {
  readonly kind: KeyKind
  readonly value: string
  readonly count: number
  /** A row that has it: there it stands as it was written. */
  readonly row_no: number | null
}

const LIMITS: FacetLimits = { rows: 3_000, values: 10, days: 31, fields: 20 }
/** Custom values that are looked at, the most frequent of all names. */
const CUSTOM_VALUES = 500
const FIELD_VALUES = 5
/** So many matches are looked up at once: walking through all recordings to the newest of them takes longer. */
const FEW_MATCHES = 10_000
/** Kinds whose values are told as they were written. */
const writtenKinds: readonly KeyKind[] = ['vendor', 'codec', 'caller', 'called', 'field', 'custom']
/** A kind of at most so many sums is counted value by value in a period: each is a walk along its part of the index of keys. */
const FEW_VALUES = 1_000

const keyKinds: Readonly<Record<FacetKind, KeyKind>> = {
  state: 'live-state',
  store: 'live-store',
  vendor: 'vendor',
  verdict: 'verdict',
  codec: 'codec',
  tag: 'tag',
  upload: 'upload',
  held: 'held',
  day: 'day',
  caller: 'caller',
  called: 'called',
}
const facetKinds = Object.keys(keyKinds) as FacetKind[]

/** Counts; of what is asked for by more than time, the newest `limits.rows` at most. Rejects with what the database throws. */
export async function findFacets(
  database: Kysely<Tables>,
  engine: DatabaseEngine,
  filter: CatalogueFilter,
  given: Partial<FacetLimits> = {},
): Promise<Facets> {
  const limits = { ...LIMITS, ...given }
  const { groups, total, isComplete } = isOfTimeAlone(filter)
    ? await countAlongIndex(database, filter, limits)
    : await countNewest(database, engine, filter, limits)
  const shown = await spelling(database, filter, toldOf(groups))
  const values = (kind: KeyKind): FacetValue[] =>
    (groups.get(kind) ?? []).map((group) => ({ value: shown(group), count: group.count }))
  const kinds = facetKinds.map((kind) => [kind, values(keyKinds[kind])] as const)
  return {
    counted: total,
    isComplete,
    kinds: Object.fromEntries(kinds) as Record<FacetKind, FacetValue[]>,
    fields: fieldsOf(groups, shown),
  }
}

interface Counts {
  readonly groups: ReadonlyMap<KeyKind, readonly Group[]>
  readonly total: number
  readonly isComplete: boolean
}

/** Everything but deleted recordings, or what began in some time. */
async function countAlongIndex(
  database: Kysely<Tables>,
  filter: CatalogueFilter,
  limits: FacetLimits,
): Promise<Counts> {
  const isOfAll = filter.fromMs === undefined && filter.toMs === undefined
  const time = timeOf(filter)
  const all = await Promise.all(
    countedKinds.map(async (kind) => {
      const sums = isOfAll ? sumsOf(kind) : await sumsInTime(database, kind, time)
      const order = kind === 'day' ? sql`value desc` : sql`count desc, value`
      const { rows } = await sql<Pick<Group, 'value' | 'count'>>`
        select value, count from (${sums}) as sums
        where count > 0 order by ${order} limit ${mostOf(kind, limits)}`.execute(database)
      return [kind, rows.map(({ value, count }) => ({ kind, value, count: Number(count), row_no: null }))] as const
    }),
  )
  const groups = new Map<KeyKind, readonly Group[]>(all)
  // Every recording has a state, and there are fewer states than values that are told.
  const total = (groups.get('live-state') ?? []).reduce((sum, { count }) => sum + count, 0)
  return { groups, total, isComplete: true }
}

/** The sums that are kept. */
function sumsOf(kind: KeyKind) {
  return sql`select value, sum(count) as count from siprec_count where kind = ${kind} group by value`
}

/** Of many values most are of few recordings: one walk along all keys of the kind is cheaper then than a look for each value. */
async function sumsInTime(database: Kysely<Tables>, kind: KeyKind, time: RawBuilder<unknown>) {
  const { rows } = await sql<{ sums_there: number }>`
    select count(*) as sums_there from (
      select 1 as one from siprec_count where kind = ${kind} limit ${FEW_VALUES + 1}) as few`.execute(database)
  return Number(rows[0]?.sums_there) > FEW_VALUES
    ? sql`select value, count(*) as count from siprec_key where kind = ${kind} ${time} group by value`
    : sql`select value, (select count(*) from siprec_key
        where siprec_key.kind = ${kind} and siprec_key.value = there.value ${time}) as count
        from (select distinct value from siprec_count where kind = ${kind}) as there`
}

function timeOf({ fromMs, toMs }: CatalogueFilter): RawBuilder<unknown> {
  return sql`${fromMs === undefined ? sql`` : sql`and started_at_ms >= ${fromMs}`}
    ${toMs === undefined ? sql`` : sql`and started_at_ms < ${toMs}`}`
}

/** The rows themselves say what they have: that is less to read than their keys, which stand far apart. */
async function countNewest(
  database: Kysely<Tables>,
  engine: DatabaseEngine,
  filter: CatalogueFilter,
  limits: FacetLimits,
): Promise<Counts> {
  const plan = await planSearch(database, engine, filter, Math.max(FEW_MATCHES, limits.rows))
  if (plan.candidates?.length === 0) return { groups: new Map(), total: 0, isComplete: true }
  const newest = newestRows(database, engine, plan, limits.rows + 1).select(['store', 'facts', 'notes'])
  const found = await newest.execute()
  const tallies = new Map(countedKinds.map((kind) => [kind, new Tally(kind)]))
  let rowNo = 0
  const add = (kind: KeyKind, text: string | undefined): void => tallies.get(kind)?.add(text, rowNo)
  for (const { row_no, store, facts, notes } of found.slice(0, limits.rows)) {
    rowNo = row_no
    forEachCounted(JSON.parse(facts) as CatalogueRow, JSON.parse(notes) as RecordingNotes, store, add)
  }
  const most = [...tallies].map(([kind, { groups }]) => {
    return [kind, groups.sort(kind === 'day' ? newestDay : mostFrequent).slice(0, mostOf(kind, limits))] as const
  })
  const total = Math.min(found.length, limits.rows)
  return { groups: new Map(most), total, isComplete: found.length <= limits.rows }
}

type OpenGroup = { -readonly [Name in keyof Group]: Group[Name] }

/** Counts the values of a kind. */
class Tally {
  readonly #kind: KeyKind
  readonly #byText = new Map<string, OpenGroup>()
  readonly #byValue = new Map<string, OpenGroup>()

  constructor(kind: KeyKind) {
    this.#kind = kind
  }

  get groups(): Group[] {
    return [...this.#byValue.values()]
  }

  /** A row has a value, written like this; once, however often it has it. Rows come one after another. */
  add(text: string | undefined, rowNo: number): void {
    if (text === undefined || text === '') return
    const group = this.#byText.get(text) ?? this.#begin(text)
    if (group.row_no === rowNo) return
    group.count += 1
    group.row_no = rowNo
  }

  #begin(text: string): OpenGroup {
    const { kind, value } = keyOf(this.#kind, text)
    const group = this.#byValue.get(value) ?? { kind, value, count: 0, row_no: null }
    this.#byValue.set(value, group)
    this.#byText.set(text, group)
    return group
  }
}

function mostOf(kind: KeyKind, { values, days, fields }: FacetLimits): number {
  if (kind === 'custom') return CUSTOM_VALUES
  return kind === 'day' ? days : kind === 'field' ? fields : values
}

/** Of the kinds that are told as they were written, the values that are told. */
function toldOf(groups: Counts['groups']): Group[] {
  return writtenKinds.flatMap((kind) => {
    if (kind !== 'custom') return groups.get(kind) ?? []
    return (groups.get('field') ?? []).flatMap((field) => valuesOfField(groups, field))
  })
}

/** Keys are kept in lower case; how they are written stands in a row that has them. */
async function spelling(
  database: Kysely<Tables>,
  filter: CatalogueFilter,
  told: readonly Group[],
): Promise<(group: Group) => string> {
  const placeOf = ({ kind, value }: Pick<Group, 'kind' | 'value'>): string => `${kind}\0${value}`
  const unplaced = told.filter(({ row_no }) => row_no === null)
  const placed = unplaced.length === 0 ? [] : await newestWith(database, filter, unplaced)
  const rowNos = new Map([...told, ...placed].map((group) => [placeOf(group), group.row_no]))
  const numbers = [...new Set([...rowNos.values()].flatMap((rowNo) => rowNo ?? []))]
  const rows =
    numbers.length === 0
      ? []
      : await database
          .selectFrom('siprec_recording')
          .select(['row_no', 'facts'])
          .where('row_no', 'in', numbers)
          .execute()
  const facts = new Map(rows.map((row) => [row.row_no, JSON.parse(row.facts) as CatalogueRow]))
  return (group) => {
    const rowNo = rowNos.get(placeOf(group)) ?? null
    const row = rowNo === null ? undefined : facts.get(rowNo)
    return (
      (row === undefined ? [] : textsOf(group.kind, row)).find((text) => folded(text) === group.value) ?? group.value
    )
  }
}

/** For each value the newest recording that has it. */
async function newestWith(
  database: Kysely<Tables>,
  filter: CatalogueFilter,
  wanted: readonly Group[],
): Promise<Group[]> {
  const values = sql.join(wanted.map(({ kind, value }) => sql`(${kind}, ${value})`))
  const { rows } = await sql<Pick<Group, 'kind' | 'value' | 'row_no'>>`
    select column1 as kind, column2 as value, (select row_no from siprec_key
      where siprec_key.kind = column1 and siprec_key.value = column2 ${timeOf(filter)}
      order by started_at_ms desc, row_no desc limit 1) as row_no
    from (values ${values}) as told`.execute(database)
  return rows.map((row) => ({ ...row, count: 0 }))
}

function textsOf(kind: KeyKind, { vendor, codecs, caller, called, custom }: CatalogueRow): readonly string[] {
  const one = (text: string | undefined): readonly string[] => (text === undefined ? [] : [text])
  switch (kind) {
    case 'vendor':
      return one(vendor)
    case 'codec':
      return codecs ?? []
    case 'caller':
      return one(caller)
    case 'called':
      return called ?? []
    case 'field':
      return Object.keys(custom ?? {})
    case 'custom':
      return Object.entries(custom ?? {}).map(([name, value]) => `${name}=${value}`)
    default:
      return []
  }
}

function fieldsOf(groups: Counts['groups'], shown: (group: Group) => string): FacetField[] {
  return (groups.get('field') ?? []).map((field) => {
    const values = valuesOfField(groups, field).map((group) => {
      return { value: shown(group).slice(field.value.length + 1), count: group.count }
    })
    return { name: shown(field), count: field.count, values }
  })
}

function valuesOfField(groups: Counts['groups'], field: Group): Group[] {
  const custom = groups.get('custom') ?? []
  return custom.filter(({ value }) => value.startsWith(`${field.value}=`)).slice(0, FIELD_VALUES)
}

function mostFrequent(a: Group, b: Group): number {
  return b.count - a.count || (a.value < b.value ? -1 : 1)
}

function newestDay(a: Group, b: Group): number {
  return a.value < b.value ? 1 : -1
}

function isOfTimeAlone({ fromMs: _from, toMs: _to, deleted = 'without', ...others }: CatalogueFilter): boolean {
  return deleted === 'without' && Object.values(others).every((value) => value === undefined || isEmpty(value))
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}
