// What of a recording session is kept in its folder, so that a recorder that died can go on: dialog, description, streams with
// their SRTP keys, metadata. Where keys may not be kept, a session that has any is ended, and its client comes back with fresh ones.

import type { Clock } from '#kernel'
import type { HeardSource, SrtpIndices } from '#rtp'
import type { KeptDescription } from '#sdp'
import type { DialogSnapshot } from '#sip'
import type { LeftFolder, Manifest, NotResumed } from '#store'
import type { KeptMetadata } from './session-metadata.ts'
import type { HerePause } from './session-pause.ts'
import type { KeptStream, KeptStreams } from './session-streams.ts'

const FORMAT = 1
/** SRTP indices have 48 bits. */
const INDICES = 2 ** 48

/** Contents of a recording's session file. */
export interface KeptSession {
  readonly format: typeof FORMAT
  readonly dialog: DialogSnapshot
  /** Absent where the session cannot go on without its keys. */
  readonly media?: { readonly description: KeptDescription; readonly streams: KeptStreams }
  readonly metadata: KeptMetadata
}

/** A recording that a dead recorder left open; not even its form is known. */
export type LeftRecording = LeftFolder

/** A session that can be taken up, or at least be ended. */
export interface KeptRecording extends LeftRecording {
  readonly manifest: Manifest
  readonly session: KeptSession
  /** The pause of the recorder itself that stands, as the media side found it. */
  readonly pause?: HerePause
}

/** The contents of a session file. */
export function keptSession(parts: Omit<KeptSession, 'format'>): KeptSession {
  return { format: FORMAT, ...parts }
}

/** The session of a recording whose client may still be there; or why there is none. `withinMs`: so recently it was written. */
export function keptRecording(left: LeftRecording, withinMs: number, clock: Clock): KeptRecording | NotResumed {
  const { session, manifest, isSessionUnreadable, touchedAtMs } = left
  if (isSessionUnreadable) return 'session-unreadable'
  if (session === undefined) return 'no-session'
  if (manifest === undefined || !isSession(session)) return 'session-unreadable'
  if (session.dialog.callId !== manifest.facts.sip.callId || !isOwnFolder(left.folder, manifest))
    return 'session-foreign'
  return clock.wallMs() - touchedAtMs < withinMs ? { ...left, manifest, session } : 'too-old'
}

/** Packet indices of the streams of a recording, by channel, as a folder has them; undefined if those of a secured stream cannot be read. */
export function keptIndices(
  streams: readonly KeptStream[],
  indices: unknown,
): readonly (SrtpIndices | undefined)[] | undefined {
  const kept = streams.map(({ keys, isRemoved }, channel) => {
    const one: unknown = Array.isArray(indices) ? indices[channel] : undefined
    return keys !== undefined && !isRemoved && isIndices(one) ? one : undefined
  })
  const isKnown = streams.every(({ keys, isRemoved }, channel) => keys === undefined || isRemoved || kept[channel])
  return isKnown ? kept : undefined
}

/** A copy of a folder is not the recording: to end it would end that. */
function isOwnFolder(folder: string, { recordingId }: Manifest): boolean {
  return folder.split(/[\\/]/).at(-1) === `${recordingId}.open`
}

function isSession(value: unknown): value is KeptSession {
  const { format, dialog, metadata, media } = (isRecord(value) ? value : {}) as Partial<KeptSession>
  const isWhole = format === FORMAT && isRecord(dialog) && isRecord(metadata)
  return (
    isWhole && (media === undefined || (Array.isArray(media.streams?.streams) && Array.isArray(media.streams.lines)))
  )
}

function isIndices(value: unknown): value is SrtpIndices {
  const { sent, heard } = (isRecord(value) ? value : {}) as Partial<SrtpIndices>
  if (!isRecord(sent) || !isRecord(heard) || !Array.isArray(heard.sources)) return false
  const names = [sent.key, heard.key]
  const numbers: unknown[] = [sent.rtcp, heard.mayHaveRolled]
  for (const source of heard.sources as readonly unknown[]) {
    const { ssrc, rtp, rtcp, mayHaveRolled } = (isRecord(source) ? source : {}) as Partial<HeardSource>
    numbers.push(ssrc, rtp, rtcp, mayHaveRolled)
  }
  return names.every((name) => typeof name === 'string') && numbers.every(isIndex)
}

function isIndex(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= -1 && (value as number) < INDICES
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
