// What is searched for: parameters of the address, and the request to the API that they make.

import { linkTo } from '../router.ts'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000

/** Choices of a filter: value in the address, and word. */
export type Choices = Readonly<Record<string, string>>

/** How a recording stands. */
export const states: Choices = {
  published: 'recorded',
  receiving: 'recording now',
  'no-audio': 'without audio',
  'no-audio.no-rtp': 'without audio: no packet came',
  'no-audio.only-refused-packets': 'without audio: only refused packets',
  'no-audio.no-stream': 'not recorded: no stream',
  'no-audio.inactive': 'not recorded: inactive',
  'no-audio.cancelled': 'not recorded: cancelled',
  'no-audio.lost': 'not recorded: recorder died',
}

/** When it began. */
export const times: Choices = { today: 'today', '7d': 'last 7 days', '30d': 'last 30 days', between: 'from … to …' }

/** How long it is. */
export const lengths: Choices = {
  'under-10s': 'under 10 s',
  '10s-1m': '10 s to 1 min',
  '1m-10m': '1 to 10 min',
  'over-10m': 'over 10 min',
}

/** Where its copy is. */
export const uploads: Choices = {
  waiting: 'not uploaded yet',
  uploading: 'uploading',
  failed: 'not uploaded: failed',
  verified: 'uploaded',
  'local-removed': 'uploaded only',
  none: 'not wanted',
}

/** Whether a legal hold is on it. */
export const holds: Choices = { true: 'on hold', false: 'not on hold' }

const lengthRanges: Readonly<Record<string, readonly [min: number, max: number | undefined]>> = {
  'under-10s': [0, 10_000],
  '10s-1m': [10_000, MINUTE_MS],
  '1m-10m': [MINUTE_MS, 10 * MINUTE_MS],
  'over-10m': [10 * MINUTE_MS, undefined],
}

/** Parameters of the address that are filters. */
export const filterNames = [
  'text',
  'party',
  'state',
  'time',
  'from',
  'to',
  'length',
  'tag',
  'held',
  'upload',
  'caller',
  'called',
  'day',
  'vendor',
  'codec',
  'custom',
] as const
/** Filters that are passed on as they are. */
const plainNames = ['text', 'party', 'held', 'upload', 'caller', 'called', 'vendor', 'codec', 'custom'] as const
export type FilterName = (typeof filterNames)[number]

/** The request that the address asks for, without a page. */
export function apiQuery(place: URLSearchParams, now = new Date()): string {
  const asked = new URLSearchParams()
  const put = (name: string, value: string | null | undefined): void => {
    if (value) asked.append(name, value)
  }
  for (const name of plainNames) put(name, place.get(name)?.trim())
  for (const tag of (place.get('tag') ?? '').split(/[\s,]+/)) put('tag', tag)
  const [state, cause] = (place.get('state') ?? '').split('.', 2)
  put('state', state)
  put('cause', cause)
  const [min, max] = lengthRanges[place.get('length') ?? ''] ?? [0, undefined]
  if (min > 0) put('minDurationMs', String(min))
  if (max !== undefined) put('maxDurationMs', String(max))
  const [from, to] = timeRange(place, now)
  put('from', from)
  put('to', to)
  return asked.toString()
}

function timeRange(place: URLSearchParams, now: Date): readonly [from?: string | undefined, to?: string | undefined] {
  const day = place.get('day') ?? ''
  if (/^\d{4}-\d\d-\d\d$/.test(day)) return [day, new Date(Date.parse(day) + DAY_MS).toISOString()]
  const before = (days: number): string => midnight(now, -days).toISOString()
  switch (place.get('time')) {
    case 'today':
      return [before(0)]
    case '7d':
      return [before(7)]
    case '30d':
      return [before(30)]
    case 'between':
      return [localDay(place.get('from'), 0), localDay(place.get('to'), 1)]
    default:
      return []
  }
}

/** Midnight at the reader's place, so many days on; undefined for what is no date. */
function localDay(text: string | null, later: number): string | undefined {
  const ms = Date.parse(`${text}T00:00`)
  return Number.isNaN(ms) ? undefined : midnight(new Date(ms), later).toISOString()
}

/** A day is not always 24 hours long. */
function midnight(day: Date, later: number): Date {
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + later)
}

/** Changes parameters of the list in the address, without a new entry in the history. */
export function refine(place: URLSearchParams, change: Readonly<Record<string, string>>): void {
  location.replace(linkTo(['recordings'], { ...Object.fromEntries(place), ...change }))
}
