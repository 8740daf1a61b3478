// By what a recording is found: keys that are compared as a whole, and texts that are looked into.

import type { CatalogueRow, RecordingNotes } from './catalogue.ts'

/** What a key is; those of `live` are had by recordings that are not deleted, and there to be counted. */
export type KeyKind =
  | 'id'
  | 'state'
  | 'cause'
  | 'tag'
  | 'upload'
  | 'held'
  | 'vendor'
  | 'verdict'
  | 'custom'
  | 'store'
  | 'caller'
  | 'called'
  | 'codec'
  | LiveKind

type LiveKind = 'live-state' | 'live-store' | 'day' | 'field'

/** Kinds that recordings of the first tables do not have. */
export const laterKinds: readonly KeyKind[] = ['live-state', 'live-store', 'day', 'field', 'caller', 'called', 'codec']

/** A key of a row. */
export interface Key {
  readonly kind: KeyKind
  readonly value: string
}

/** Texts of a row, in lower case. */
export interface IndexText {
  readonly party: string
  readonly content: string
}

/** Longer keys are cut: an index page of PostgreSQL has to hold them. */
const LONGEST_KEY = 512
const MOST_TEXT = 65_536
/** Stands between the texts of a row and those of its documents. */
const BEFORE_METADATA = '\u001e'

/** The form in which texts are kept and compared. */
export function folded(text: string): string {
  // PostgreSQL has no room for a zero in a text.
  return text.replaceAll('\0', '').normalize('NFC').toLowerCase()
}

/** The key of a custom value. */
export function customKey(name: string, value: string): Key {
  return keyOf('custom', `${name}=${value}`)
}

/** A key in the form in which it is kept. Half a character, which a cut leaves, is in the database what any other half is. */
export function keyOf(kind: Key['kind'], value: string): Key {
  return {
    kind,
    value: folded(value)
      .slice(0, LONGEST_KEY)
      .replace(/\p{Surrogate}/gu, '\ufffd'),
  }
}

/** The keys of a row; of a deleted recording only its ids, state and store. */
export function keysOf(row: CatalogueRow): Key[] {
  const ids = [row.recordingId, row.reference, row.sipCallId, ...row.sessionIds, ...row.groupIds]
  const keys = ids.filter((id) => id !== undefined && id !== '').map((id) => keyOf('id', id!))
  const add = (kind: Key['kind'], value: string | undefined): void => {
    if (value !== undefined && value !== '') keys.push(keyOf(kind, value))
  }
  add('state', row.state)
  add('store', row.store)
  if (row.deletion === undefined) add('cause', row.cause)
  forEachCounted(row, row, row.store, add)
  return [...new Map(keys.map((key) => [`${key.kind} ${key.value}`, key])).values()]
}

/** Calls `add` for whatever recordings that are not deleted are counted by, as it is written. */
export function forEachCounted(
  row: CatalogueRow,
  notes: RecordingNotes,
  store: string | undefined,
  add: (kind: KeyKind, text: string | undefined) => void,
): void {
  if (notes.deletion !== undefined) return
  add('upload', notes.uploadState ?? 'none')
  add('vendor', row.vendor)
  add('verdict', row.verdict)
  add('held', notes.holds?.length ? 'yes' : 'no')
  for (const tag of notes.tags ?? []) add('tag', tag)
  const { custom = {} } = row
  for (const name of Object.keys(custom)) {
    add('custom', `${name}=${custom[name]}`)
    add('field', name)
  }
  add('caller', row.caller)
  for (const name of row.called ?? []) add('called', name)
  for (const codec of row.codecs ?? []) add('codec', codec)
  add('live-state', row.cause === undefined ? row.state : `${row.state}.${row.cause}`)
  add('live-store', store)
  add('day', new Date(row.startedAtMs).toISOString().slice(0, 10))
}

/** The texts of a row; `metadata` is what its documents say. */
export function textOf(row: CatalogueRow, metadata: string): IndexText {
  const ids = [row.recordingId, row.sipCallId, row.reference, ...row.sessionIds, ...row.groupIds]
  if (row.deletion !== undefined) return { party: '', content: joined(ids) }
  // Without metadata, the address that the recording session came from is all that is known of a party.
  const parties = row.participants.length > 0 ? row.participants : [row.fromUri, row.toUri]
  const custom = Object.entries(row.custom ?? {}).flat()
  const content = joined([...parties, row.fromUri, row.toUri, ...ids, row.vendor, ...(row.tags ?? []), ...custom])
  const documents = folded(metadata).replaceAll(BEFORE_METADATA, ' ').slice(0, MOST_TEXT)
  return { party: joined(parties), content: documents === '' ? content : content + BEFORE_METADATA + documents }
}

/** What `textOf` was given as metadata, out of the content that it made. */
export function metadataOf(content: string): string {
  const at = content.indexOf(BEFORE_METADATA)
  return at < 0 ? '' : content.slice(at + 1)
}

/** The words and quoted phrases of a search text, folded. */
export function termsOf(text: string): string[] {
  return [...folded(text).matchAll(/"([^"]+)"|[^\s"]+/g)].map(([whole, phrase]) => phrase ?? whole).slice(0, 8)
}

/** A party as it is searched: in a number, blanks and marks that people write between the digits do not count. */
export function partyTerm(party: string): string {
  const text = folded(party.trim())
  return /^\+?[\d\s()/.-]+$/.test(text) && /\d/.test(text) ? text.replace(/[\s()/.-]/g, '') : text
}

function joined(texts: readonly (string | undefined)[]): string {
  const parts = texts.filter((text) => text !== undefined && text !== '')
  return folded([...new Set(parts)].join('\n')).slice(0, MOST_TEXT)
}
