// Searching a catalogue of 100,000 recordings: the time of a page, by kind of search, on both databases.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CatalogueFilter, type CatalogueQuery, type CatalogueRow, openCatalogue, type SqlCatalogue } from '#store'
import { startPostgres } from '../harness/postgres.ts'
import { figure, percentile, type Section } from './report.ts'

const BATCH = 500
/** Recordings on a page. */
export const PAGE = 50
const GOAL_MS = 100
const START_MS = Date.UTC(2026, 0, 1)
const EVERY_MS = 60_000
const CITIES = ['Berlin', 'Lagos', 'Lima', 'Oslo', 'Quito', 'Seoul', 'Turin', 'Wien']
const TOPICS = ['claim', 'order', 'refund', 'loan', 'delivery', 'complaint', 'renewal', 'password', 'invoice', 'travel']
const FIRST = ['Ada', 'Bela', 'Chidi', 'Dana', 'Emre', 'Fatou', 'Goran', 'Hana', 'Ines', 'Jun', 'Kofi', 'Lea']
const LAST = ['Adeyemi', 'Brandt', 'Castro', 'Dubois', 'Eriksen', 'Fischer', 'Garcia', 'Hansen', 'Ito', 'Jansen', 'Kim']

/** How much to measure. */
export interface SearchBench {
  readonly recordings: number
  readonly rounds: number
}

/** Numbers from 0 to below a limit. */
export type Random = (below: number) => number

/** Fills a catalogue and searches it. */
export async function benchSearch({ recordings, rounds }: SearchBench): Promise<Section> {
  const rows: string[][] = []
  const folder = mkdtempSync(join(tmpdir(), 'search-'))
  const cluster = await startPostgres()
  let worstMs = 0
  try {
    for (const [engine, location] of [
      ['SQLite', join(folder, 'catalogue.sqlite')],
      ['PostgreSQL', await cluster.database()],
    ] as const) {
      const catalogue = await openCatalogue(location)
      await fill(catalogue, recordings)
      for (const [kind, times] of await measure(catalogue, recordings, rounds)) {
        const p95 = percentile(times, 0.95)
        worstMs = Math.max(worstMs, p95)
        rows.push([kind, engine, figure(percentile(times, 0.5), 1), figure(p95, 1), figure(Math.max(...times), 1)])
      }
      await catalogue.close()
    }
  } finally {
    await cluster.close()
    rmSync(folder, { recursive: true, force: true })
  }
  rows.sort((a, b) => kinds.indexOf(a[0]!) - kinds.indexOf(b[0]!))
  return {
    title: `Search over ${figure(recordings)} recordings`,
    columns: ['search', 'database', 'p50 ms', 'p95 ms', 'most ms'],
    rows,
    notes: [
      `A page of ${PAGE}, newest first, as rows; ${figure(rounds)} searches of each kind with values drawn at random. From the call to the rows, in one process with the catalogue.`,
      `Goal: p95 of every kind <= ${GOAL_MS} ms on both: ${worstMs <= GOAL_MS ? 'met' : 'missed'} (worst ${figure(worstMs, 1)} ms).`,
      'Two parties per recording, 600 bytes of metadata text, three tags for one in ten, custom values, an upload state; PostgreSQL with its standard settings but fsync off, its statistics as autovacuum leaves them.',
    ],
  }
}

/** Kinds of search, each with values drawn at random. */
export const searches: Readonly<Record<string, (random: Random, recordings: number) => Omit<CatalogueQuery, 'limit'>>> =
  {
    'newest page': () => ({}),
    'page 1000 by offset': () => ({ offset: 1000 * PAGE }),
    'a party by name': (random) => ({ party: `${pick(FIRST, random)} ${pick(LAST, random)}` }),
    'a party by number': (random, recordings) => ({ party: number(random(recordings)).slice(-7) }),
    'a part of most numbers': () => ({ party: '+49' }),
    'a word of few metadata documents': (random, recordings) => ({ text: `case-${random(recordings)}` }),
    'a word of many metadata documents': (random) => ({ text: pick(TOPICS, random) }),
    'two words of many documents': (random) => ({ text: `${pick(TOPICS, random)} ${pick(CITIES, random)}` }),
    'a word of none': (random) => ({ text: `nothing-${random(1e6)}` }),
    'two letters': (random) => ({ text: pick(CITIES, random).slice(0, 2) }),
    'Call-ID': (random, recordings) => ({ id: `call-${random(recordings)}@pbx.test` }),
    'custom value': (random, recordings) => ({ custom: { orderId: `O-${random(recordings / 5)}` } }),
    'tag and time range': (random, recordings) => ({ tags: [pick(TOPICS, random)], ...week(random, recordings) }),
    'time range and duration': (random, recordings) => ({ minDurationMs: 550_000, ...week(random, recordings) }),
    'longest recordings': () => ({ minDurationMs: 599_000 }),
    'no audio, by cause': () => ({ state: 'no-audio', cause: 'no-rtp' }),
    'held, uploaded': () => ({ isHeld: true, uploadState: 'verified' }),
    'a word, in a week long ago': (random, recordings) => ({
      text: pick(TOPICS, random),
      ...week(() => 0, recordings),
    }),
  }
const COUNT = 'count of a word, up to 10,000'
/** What facets are asked for. */
export const facetFilters: Readonly<Record<string, (random: Random, recordings: number) => CatalogueFilter>> = {
  'facets of all': () => ({}),
  'facets of a week': (random, recordings) => week(random, recordings),
  'facets of what has audio, the newest 3,000': () => ({ state: 'published' }),
  'facets of a word, the newest 3,000': (random) => ({ text: pick(TOPICS, random) }),
}
const kinds = [...Object.keys(searches), COUNT, ...Object.keys(facetFilters)]

async function measure(catalogue: SqlCatalogue, recordings: number, rounds: number): Promise<Map<string, number[]>> {
  const random = seeded(7)
  const times = new Map<string, number[]>()
  const timed = async (kind: string, work: () => Promise<unknown>): Promise<void> => {
    const begun = performance.now()
    await work()
    const all = times.get(kind) ?? []
    all.push(performance.now() - begun)
    times.set(kind, all)
  }
  for (let round = 0; round < rounds; round++) {
    for (const [kind, query] of Object.entries(searches)) {
      const wanted = { limit: PAGE, ...query(random, recordings) }
      await timed(kind, () => catalogue.page(wanted))
    }
    await timed(COUNT, () => catalogue.count({ text: pick(TOPICS, random) }, 10_000))
    for (const [kind, filter] of Object.entries(facetFilters)) {
      const wanted = filter(random, recordings)
      await timed(kind, () => catalogue.facets(wanted))
    }
  }
  return times
}

/** Fills a catalogue with so many recordings. */
export async function fill(catalogue: SqlCatalogue, recordings: number): Promise<void> {
  const random = seeded(3)
  for (let from = 0; from < recordings; from += BATCH) {
    const count = Math.min(BATCH, recordings - from)
    await catalogue.putAll(
      Array.from({ length: count }, (_unused, n) => ({
        row: recording(from + n, random, recordings),
        metadata: words(from + n, random),
      })),
    )
  }
}

function recording(n: number, random: Random, recordings: number): CatalogueRow {
  const startedAtMs = START_MS + n * EVERY_MS
  const durationMs = 1000 * (1 + random(600))
  const [caller, agent] = [number(random(recordings)), `agent${random(400)}`]
  const isSilent = random(200) === 0
  const tags = random(10) === 0 ? [pick(TOPICS, random), pick(TOPICS, random), pick(CITIES, random)] : []
  return {
    recordingId: `${n.toString(16).padStart(8, '0')}-rec`,
    state: isSilent ? 'no-audio' : 'published',
    ...(isSilent && { cause: 'no-rtp' as const }),
    recovered: false,
    startedAtMs,
    endedAtMs: startedAtMs + durationMs,
    durationMs,
    folder: `2026/01/01/${n}`,
    sipCallId: `call-${n}@pbx.test`,
    fromUri: 'sip:src@sbc.test',
    toUri: 'sip:srs@recorder.test',
    sessionIds: [`session-${n}`],
    groupIds: [`group-${Math.floor(n / 2)}`],
    participants: [name(random), `sip:${caller}@pbx.test`, name(random), `sip:${agent}@pbx.test`],
    streams: 2,
    packets: durationMs / 10,
    warnings: 0,
    caller,
    called: [agent],
    codecs: [random(10) === 0 ? 'PCMA' : 'PCMU'],
    vendor: pick(CITIES, random),
    verdict: 'clean',
    sizeBytes: durationMs * 16,
    custom: { orderId: `O-${random(recordings / 5)}`, queue: pick(CITIES, random) },
    uploadState: random(50) === 0 ? 'waiting' : 'verified',
    ...(tags.length > 0 && { tags: [...new Set(tags)] }),
    ...(random(500) === 0 && { holds: [{ reason: 'case', actor: 'legal', atMs: 0 }] }),
  }
}

function words(n: number, random: Random): string {
  const text = Array.from({ length: 40 }, () => `${pick(FIRST, random)}${random(1000)} ${pick(LAST, random)}`)
  return [...text, `case-${n}`, pick(CITIES, random), ...(random(4) === 0 ? [pick(TOPICS, random)] : [])].join('\n')
}

function name(random: Random): string {
  return `${pick(FIRST, random)} ${pick(LAST, random)}`
}

function number(n: number): string {
  return `+4930${String(1_000_000 + n * 37).padStart(8, '0')}`
}

function week(random: Random, recordings: number): { readonly fromMs: number; readonly toMs: number } {
  const length = 7 * 24 * 60
  const from = START_MS + random(Math.max(1, recordings - length)) * EVERY_MS
  return { fromMs: from, toMs: from + length * EVERY_MS }
}

function pick<T>(values: readonly T[], random: Random): T {
  return values[random(values.length)]!
}

/** A source of the same numbers every time. */
export function seeded(seed: number): Random {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
