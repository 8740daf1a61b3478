// GET /api/recordings/export: the whole result of a search as CSV or JSON, page after page as the client takes it.

import { Readable } from 'node:stream'
import { Type } from 'typebox'
import type { CatalogueFilter } from '#store'
import type { HttpApp } from '../http-app.ts'
import { file, operation } from '../operation.ts'
import type { RecordingsView } from '../views.ts'
import type { RecordingSummary } from './recording-contract.ts'
import { filterOf, filterQuery } from './recording-search.ts'

const PAGE = 200

const exportQuery = Type.Object(
  { ...filterQuery.properties, format: Type.Enum(['csv', 'json'], { default: 'csv' }) },
  { additionalProperties: false },
)

const exportRecordings = operation(
  {
    id: 'exportRecordingList',
    summary: 'All recordings that match, as a list in a file, newest first',
    tag: 'recordings',
    scope: 'recordings:read',
    audit: { action: 'recording.list-export' },
  },
  { querystring: exportQuery, response: { 200: file('the list', 'text/csv', 'application/json') } },
)

type Column = readonly [name: string, value: (row: RecordingSummary) => string | number | boolean | undefined]

const columns: readonly Column[] = [
  ['recordingId', (row) => row.recordingId],
  ['state', (row) => row.state],
  ['cause', (row) => row.cause],
  ['startedAt', (row) => row.startedAt],
  ['endedAt', (row) => row.endedAt],
  ['durationMs', (row) => row.durationMs],
  ['callRecordingId', (row) => row.callRecordingId],
  ['sipCallId', (row) => row.sipCallId],
  ['participants', (row) => row.participants.map(({ name, aor }) => name ?? aor ?? '').join('; ')],
  ['hasAudio', (row) => row.hasAudio],
  ['tags', (row) => row.tags.join('; ')],
  ['isHeld', (row) => row.isHeld],
  ['upload', (row) => row.upload],
  ['vendor', (row) => row.vendor],
  ['verdict', (row) => row.verdict],
  ['sizeBytes', (row) => row.sizeBytes],
]

/** Adds the route. */
export function listExportRoutes(app: HttpApp, recordings: RecordingsView): void {
  app.get('/api/recordings/export', exportRecordings, async ({ query }, reply) => {
    const { format, ...filter } = query
    const isCsv = format === 'csv'
    // The first page before the headers: a database that is away is an error, not a list that breaks off.
    const pages = pagesOf(recordings, filterOf(filter))
    const first = await pages.next()
    const text = isCsv ? csv(first.value ?? [], pages) : json(first.value ?? [], pages)
    reply.type(isCsv ? 'text/csv; charset=utf-8' : 'application/json')
    reply.header('content-disposition', `attachment; filename="recordings.${format}"`)
    return reply.send(Readable.from(text))
  })
}

type Rows = readonly RecordingSummary[]

async function* pagesOf(recordings: RecordingsView, filter: CatalogueFilter): AsyncGenerator<Rows, undefined> {
  let page = await recordings.search({ ...filter, limit: PAGE })
  for (;;) {
    yield page.items
    if (page.next === undefined) return undefined
    page = await recordings.search({ ...filter, limit: PAGE, after: page.next })
  }
}

async function* csv(first: Rows, others: AsyncIterable<Rows>): AsyncGenerator<string> {
  const lines = (rows: Rows): string => rows.map((row) => line(columns.map(([, value]) => value(row)))).join('')
  yield line(columns.map(([name]) => name)) + lines(first)
  for await (const rows of others) yield lines(rows)
}

async function* json(first: Rows, others: AsyncIterable<Rows>): AsyncGenerator<string> {
  const items = (rows: Rows): string => rows.map((row) => JSON.stringify(row)).join(',\n')
  yield `[\n${items(first)}`
  for await (const rows of others) if (rows.length > 0) yield `,\n${items(rows)}`
  yield '\n]\n'
}

function line(values: readonly (string | number | boolean | undefined)[]): string {
  return `${values.map((value) => (typeof value === 'string' ? cell(value) : (value ?? ''))).join(',')}\r\n`
}

/** As RFC 4180; a text that a spreadsheet would take for a formula gets an apostrophe. */
function cell(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}
