// A recording as a vCon (draft-ietf-vcon-vcon-core-04): parties, one dialog, and its documents as attachments.

import { createHash } from 'node:crypto'
import type { VconView } from '#control'
import { audioOnly, type Manifest } from '#store'
import type { HistoryMoment } from './recording-documents.ts'
import { ledgerOf } from './recording-documents.ts'

type Party = VconView['parties'][number]
type Dialog = VconView['dialog'][number]
type Attachment = VconView['attachments'][number]
type PartyEvents = NonNullable<Dialog['party_history']>

/** How the audio is given. */
export type VconAudio =
  | { readonly url: string; readonly content_hash: string }
  | { readonly body: string; readonly encoding: 'base64url' }

/** What goes into it. */
export interface VconContent {
  readonly manifest: Manifest
  readonly moments: readonly HistoryMoment[]
  /** Undefined: there is no audio that can be played. */
  readonly audio: VconAudio | undefined
  readonly documents: readonly { readonly receivedAt: string; readonly file: string; readonly content: Uint8Array }[]
  /** ISO 8601 time of now. */
  readonly createdAt: string
}

interface Roster {
  readonly parties: Party[]
  /** By participant id. */
  readonly indexOf: (participantId: string | undefined) => number | undefined
  /** By the name or address of record that stands for a speaker. */
  readonly indexOfName: (name: string) => number | undefined
}

const EVENTS = { joined: 'join', left: 'drop', held: 'hold', resumed: 'unhold' } as const

/** Builds the vCon; the recorder itself is its last party, since it contributed the attachments. */
export function vconOf(content: VconContent): VconView {
  const { manifest, createdAt } = content
  const roster = rosterOf(content)
  const recorder = roster.parties.push({ name: 'session recording server', validation: 'none', type: 'bot' }) - 1
  const vcon = {
    vcon: '0.4.0',
    created_at: createdAt,
    parties: roster.parties,
    dialog: [dialogOf(content, roster)],
    attachments: attachmentsOf(content, recorder),
    analysis: [],
  } satisfies Omit<VconView, 'uuid'>
  return { ...vcon, uuid: uuidOf(manifest.recordingId + JSON.stringify(vcon)) }
}

/** The hash of externally referenced content, as the draft writes it. */
export function contentHash(digest: Buffer): string {
  return `sha512-${digest.toString('base64url')}`
}

function rosterOf({ manifest, moments }: VconContent): Roster {
  const all = [...moments.flatMap(({ participants }) => participants), ...manifest.facts.participants]
  const people = [...new Map(all.map((one) => [one.participantId, one])).values()]
  const place = (found: number): number | undefined => (found < 0 ? undefined : found)
  return {
    parties: people.map(({ participantId, aor, name }) => ({
      ...(aor !== undefined && addressOf(aor)),
      ...(name !== undefined && { name, validation: 'none' }),
      uuid: participantId,
    })),
    indexOf: (participantId) => place(people.findIndex((one) => one.participantId === participantId)),
    indexOfName: (name) => place(people.findIndex((one) => (one.name ?? one.aor ?? one.participantId) === name)),
  }
}

function addressOf(aor: string): Party {
  if (/^tel:/i.test(aor)) return { tel: aor }
  if (/^mailto:/i.test(aor)) return { mailto: aor }
  return { sip: aor }
}

function dialogOf({ manifest, moments, audio }: VconContent, roster: Roster): Dialog {
  const { recordingId, startedAt, durationMs, facts, streams } = manifest
  const caller = roster.indexOf(facts.callerId)
  const history = partyEvents(manifest, moments, roster)
  const common = {
    start: startedAt,
    duration: durationMs / 1000,
    ...(history.length > 0 && { party_history: history }),
  }
  if (audio === undefined) {
    const parties = roster.parties.flatMap((party, index) => (party.type === 'bot' ? [] : [index]))
    return { type: 'incomplete', ...common, parties, ...originator(caller, parties[0]), disposition: 'failed' }
  }
  const parties = audioOnly(streams).map(({ participants }) => {
    const own = participants.flatMap((name) => roster.indexOfName(name) ?? [])
    return own.length > 1 ? own : (own[0] ?? null)
  })
  return {
    type: 'recording',
    ...common,
    parties,
    ...originator(caller, [parties[0]].flat()[0] ?? undefined),
    mediatype: 'audio/x-wav',
    filename: `${recordingId}.wav`,
    ...audio,
  }
}

/** Said only where the first party is another. */
function originator(caller: number | undefined, first: number | undefined) {
  return caller === undefined || caller === first ? {} : { originator: caller }
}

function partyEvents(manifest: Manifest, moments: readonly HistoryMoment[], roster: Roster): PartyEvents {
  const startMs = Date.parse(manifest.startedAt)
  return moments.flatMap(({ atMs, changes }, moment) => {
    const time = new Date(startMs + atMs).toISOString()
    return changes.flatMap(({ kind, participantId, channel }) => {
      // Who holds has no stream any more: those who spoke there before are meant.
      const speakers = moments
        .slice(0, moment + 1)
        .findLast(({ speakers }) => (speakers[channel ?? -1] ?? []).length > 0)
      const own = participantId === undefined ? (speakers?.speakers[channel ?? -1] ?? []).map(roster.indexOfName) : []
      const parties = participantId === undefined ? own : [roster.indexOf(participantId)]
      return parties.flatMap((party) => (party === undefined ? [] : [{ party, time, event: EVENTS[kind] }]))
    })
  })
}

function attachmentsOf({ manifest, documents }: VconContent, party: number): Attachment[] {
  const place = { party, dialog: 0 }
  const ledger: Attachment = {
    purpose: 'gap-ledger',
    start: manifest.startedAt,
    ...place,
    mediatype: 'application/json',
    filename: 'ledger.json',
    body: { ...ledgerOf(manifest) },
    encoding: 'json',
  }
  const metadata = documents.map(
    ({ receivedAt, file, content }): Attachment => ({
      purpose: 'siprec-metadata',
      start: receivedAt,
      ...place,
      mediatype: 'application/rs-metadata+xml',
      filename: file,
      body: Buffer.from(content).toString('base64url'),
      encoding: 'base64url',
    }),
  )
  return [...metadata, ledger]
}

/** A UUID of version 8 (RFC 9562 section 5.8): each export has its own, made of what it says. */
function uuidOf(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x80
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
