// What a list of recordings is asked for: the query of the request as a filter of the catalogue, and the place where a page begins.

import { type Static, Type } from 'typebox'
import type { CatalogueFilter, CataloguePage } from '#store'
import { HttpError } from '../http-error.ts'

const word = (description: string, maxLength = 256) =>
  Type.Optional(Type.String({ minLength: 1, maxLength, description }))
const time = (description: string) =>
  Type.Optional(
    Type.String({
      pattern: '^\\d{4}-\\d\\d-\\d\\d(T\\d\\d:\\d\\d(:\\d\\d([.]\\d{1,9})?)?(Z|[+-]\\d\\d:\\d\\d))?$',
      description,
    }),
  )
const length = (description: string) => Type.Optional(Type.Number({ minimum: 0, description }))
const pair = Type.String({ pattern: '^[^=]{1,128}=.{1,256}$' })

const filterFields = {
  text: word(
    'words, or phrases in double quotes: each is somewhere in parties, URIs, ids, custom values or metadata documents',
  ),
  party: word("part of a participant's name, address of record or number"),
  id: word('a recording id, Call Recording ID, Call-ID, session id or group id, whole', 512),
  from: time('began then or later: date, or ISO 8601 time with its zone'),
  to: time('began before'),
  minDurationMs: length('lasted so long or longer'),
  maxDurationMs: length('lasted no longer'),
  state: Type.Optional(Type.Enum(['receiving', 'published', 'no-audio'])),
  cause: Type.Optional(Type.Enum(['no-stream', 'inactive', 'no-rtp', 'only-refused-packets', 'cancelled', 'lost'])),
  tag: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 20, description: 'each of them' })),
  upload: Type.Optional(Type.Enum(['none', 'waiting', 'uploading', 'failed', 'verified', 'local-removed'])),
  held: Type.Optional(Type.Boolean({ description: 'whether a legal hold is on it' })),
  vendor: word('product of the recording client, or `unknown`'),
  verdict: Type.Optional(Type.Enum(['clean', 'tolerated', 'violations'])),
  custom: Type.Optional(
    Type.Array(pair, { maxItems: 20, description: "`name=value` of the metadata's extension data, each of them" }),
  ),
  caller: word('name or number of the participant that called, whole'),
  called: word('name or number of one that was called, whole'),
  codec: word('codec of a stream, as `PCMU`', 64),
  store: word('name of the store, where several share a database'),
  deleted: Type.Optional(Type.Enum(['without', 'only', 'with'], { description: '`without` unless given' })),
}

const closed = { additionalProperties: false }

/** Which recordings are asked for. */
export const filterQuery = Type.Object(filterFields, closed)

/** Which part of those that match is asked for. */
export const searchQuery = Type.Object(
  {
    ...filterFields,
    after: Type.Optional(
      Type.String({ pattern: '^\\d{1,15}-\\d{1,15}$', description: '`next` of the page before; instead of `offset`' }),
    ),
    offset: Type.Integer({ minimum: 0, maximum: 1_000_000_000, default: 0 }),
    limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
  },
  closed,
)

/** The place where a page begins. */
type Cursor = NonNullable<CataloguePage['next']>

/** The filter of a query; throws HttpError 400 for a time that is none. */
export function filterOf(query: Static<typeof filterQuery>): CatalogueFilter {
  const { text, party, id, from, to, minDurationMs, maxDurationMs, state, cause } = query
  const { tag, upload, held, vendor, verdict, custom, store, deleted, caller, called, codec } = query
  return {
    ...(text !== undefined && { text }),
    ...(party !== undefined && { party }),
    ...(id !== undefined && { id }),
    ...(from !== undefined && { fromMs: timeOf('from', from) }),
    ...(to !== undefined && { toMs: timeOf('to', to) }),
    ...(minDurationMs !== undefined && { minDurationMs }),
    ...(maxDurationMs !== undefined && { maxDurationMs }),
    ...(state !== undefined && { state }),
    ...(cause !== undefined && { cause }),
    ...(tag !== undefined && { tags: tag }),
    ...(upload !== undefined && { uploadState: upload }),
    ...(held !== undefined && { isHeld: held }),
    ...(vendor !== undefined && { vendor }),
    ...(verdict !== undefined && { verdict }),
    ...(custom !== undefined && { custom: Object.fromEntries(custom.map(nameAndValue)) }),
    ...(store !== undefined && { store }),
    ...(caller !== undefined && { caller }),
    ...(called !== undefined && { called }),
    ...(codec !== undefined && { codec }),
    ...(deleted !== undefined && { deleted }),
  }
}

/** A place as text for a client. */
export function cursorText({ startedAtMs, rowNo }: Cursor): string {
  return `${startedAtMs}-${rowNo}`
}

/** What `cursorText` made. */
export function cursorOf(text: string): Cursor {
  const [startedAtMs = 0, rowNo = 0] = text.split('-').map(Number)
  return { startedAtMs, rowNo }
}

function nameAndValue(text: string): [string, string] {
  const at = text.indexOf('=')
  return [text.slice(0, at), text.slice(at + 1)]
}

function timeOf(name: string, text: string): number {
  const ms = Date.parse(text)
  if (!Number.isNaN(ms)) return ms
  const details = [{ path: `querystring/${name}`, expected: 'must be a date, or an ISO 8601 time with its zone' }]
  throw new HttpError(400, 'invalid-request', 'the request does not fit its schema', details)
}
