// The recordings API over HTTP: how soon a long recording can be seen and heard, and how long a search takes.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CatalogueQuery, openCatalogue } from '#store'
import { makeRecording } from '../harness/made-recording.ts'
import { openTestProgram, type TestProgram } from '../harness/open-program.ts'
import { startPostgres } from '../harness/postgres.ts'
import { figure, percentile, type Section } from './report.ts'
import { fill, PAGE, type SearchBench, searches, seeded } from './search.ts'

const HOUR_MS = 3_600_000
const WAVEFORM_GOAL_MS = 300
const SEARCH_GOAL_MS = 100
/** What a player asks for first. */
const FIRST_BYTES = 262_144
const BUCKETS = 1000
const RECORDING_ID = 'one-hour'
const limits = { http: { rateLimits: { perMinute: 100_000, signInsPerMinute: 10 } } }

/** A recording of one hour on two channels: wave form, then first sound. */
export async function benchWaveform(rounds: number): Promise<Section> {
  const folder = await mkdtemp(join(tmpdir(), 'waveform-'))
  try {
    await makeRecording(folder, {
      recordingId: RECORDING_ID,
      startedAtMs: Date.UTC(2026, 0, 5, 9),
      durationMs: HOUR_MS,
    })
    return await withRecorder({ folder }, async ({ httpUrl }) => {
      const url = `${httpUrl}/api/recordings/${RECORDING_ID}`
      const times: Record<'peaks' | 'audio' | 'both', number[]> = { peaks: [], audio: [], both: [] }
      for (let round = 0; round < rounds; round++) {
        const begun = performance.now()
        await read(`${url}/peaks?buckets=${BUCKETS}`)
        const seen = performance.now()
        await read(`${url}/audio`, { range: `bytes=0-${FIRST_BYTES - 1}` })
        const heard = performance.now()
        times.peaks.push(seen - begun)
        times.audio.push(heard - seen)
        times.both.push(heard - begun)
      }
      const worstMs = percentile(times.both, 0.95)
      const row = (name: string, all: readonly number[]): string[] => [
        name,
        figure(all[0]!, 1),
        figure(percentile(all, 0.5), 1),
        figure(percentile(all, 0.95), 1),
      ]
      return {
        title: 'First playable wave form of a recording of one hour',
        columns: ['what', 'first ms', 'p50 ms', 'p95 ms'],
        rows: [
          row(`wave form, ${figure(BUCKETS)} buckets`, times.peaks),
          row(`first ${figure(FIRST_BYTES / 1024)} KiB of audio`, times.audio),
          row('one after the other', times.both),
        ],
        notes: [
          'Two channels of G.711, 57.6 MB, over HTTP on loopback, from the request to the last byte; the first request finds nothing in the process warm.',
          `Goal: p95 of both together <= ${WAVEFORM_GOAL_MS} ms: ${worstMs <= WAVEFORM_GOAL_MS ? 'met' : 'missed'}.`,
        ],
      }
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Every kind of search through HTTP, on both databases. */
export async function benchRecordingSearch({ recordings, rounds }: SearchBench): Promise<Section> {
  const folder = await mkdtemp(join(tmpdir(), 'search-api-'))
  const cluster = await startPostgres()
  const rows: string[][] = []
  let worstMs = 0
  try {
    for (const [engine, database] of [
      ['SQLite', undefined],
      ['PostgreSQL', await cluster.database()],
    ] as const) {
      const catalogue = await openCatalogue(database ?? join(folder, 'catalogue.sqlite'))
      await fill(catalogue, recordings)
      await catalogue.close()
      await withRecorder({ folder, ...(database !== undefined && { database }) }, async ({ httpUrl }) => {
        for (const [kind, times] of await measure(httpUrl, recordings, rounds)) {
          const p95 = percentile(times, 0.95)
          worstMs = Math.max(worstMs, p95)
          rows.push([kind, engine, figure(percentile(times, 0.5), 1), figure(p95, 1), figure(Math.max(...times), 1)])
        }
      })
    }
  } finally {
    await cluster.close()
    await rm(folder, { recursive: true, force: true })
  }
  return {
    title: `Search through HTTP over ${figure(recordings)} recordings`,
    columns: ['search', 'database', 'p50 ms', 'p95 ms', 'most ms'],
    rows: rows.sort((a, b) => a[0]!.localeCompare(b[0]!)),
    notes: [
      `The first page of ${PAGE} with its total (counted up to 10,000), from the request to the parsed answer; ${figure(rounds)} searches of each kind, all kinds in turn.`,
      `Goal: p95 of every kind <= ${SEARCH_GOAL_MS} ms on both: ${worstMs <= SEARCH_GOAL_MS ? 'met' : 'missed'} (worst ${figure(worstMs, 1)} ms).`,
    ],
  }
}

async function measure(httpUrl: string, recordings: number, rounds: number): Promise<Map<string, number[]>> {
  const random = seeded(7)
  const times = new Map<string, number[]>()
  for (let round = 0; round < rounds; round++) {
    for (const [kind, query] of Object.entries(searches)) {
      const url = `${httpUrl}/api/recordings?${queryText(query(random, recordings))}`
      const begun = performance.now()
      await (await fetch(url)).json()
      times.set(kind, [...(times.get(kind) ?? []), performance.now() - begun])
    }
  }
  return times
}

function queryText(query: Omit<CatalogueQuery, 'limit'>): string {
  const { fromMs, toMs, tags, custom, isHeld, uploadState, ...others } = query
  const parameters = new URLSearchParams({ limit: String(PAGE) })
  for (const [name, value] of Object.entries(others)) parameters.append(name, String(value))
  if (fromMs !== undefined) parameters.append('from', new Date(fromMs).toISOString())
  if (toMs !== undefined) parameters.append('to', new Date(toMs).toISOString())
  for (const tag of tags ?? []) parameters.append('tag', tag)
  for (const [name, value] of Object.entries(custom ?? {})) parameters.append('custom', `${name}=${value}`)
  if (isHeld !== undefined) parameters.append('held', String(isHeld))
  if (uploadState !== undefined) parameters.append('upload', uploadState)
  return parameters.toString()
}

async function withRecorder<T>(recorderStore: object, use: (program: TestProgram) => Promise<T>): Promise<T> {
  const program = await openTestProgram({
    gateway: false,
    recorder: true,
    recorderStore: { ...recorderStore },
    ...limits,
  })
  try {
    const deadline = performance.now() + 60_000
    while (!(await fetch(`${program.httpUrl}/api/recordings?limit=1`)).ok && performance.now() < deadline);
    return await use(program)
  } finally {
    await program.close()
  }
}

async function read(url: string, headers: Record<string, string> = {}): Promise<void> {
  const answer = await fetch(url, { headers })
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`)
  await answer.arrayBuffer()
}

/** A published recording of an hour: what was received, and what is derived of it. */
