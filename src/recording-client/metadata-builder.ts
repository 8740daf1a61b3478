// Builds the complete metadata document of a recording session from a call's facts (RFC 7865 section 6).

import type { CallParty, CallSnapshot } from '#call'
import { parseSipUri, uriText } from '#sip'
import {
  CALL_NAMESPACE,
  type Interval,
  type MetadataParticipant,
  type MetadataSession,
  type ParticipantSessionAssoc,
  type ParticipantStreamAssoc,
  RECORDING_NAMESPACE,
  type RecordingMetadata,
  rfc3339,
  uuidBase64,
} from '#siprec'
import type { ApplicationIds } from './command.ts'
import {
  callElement,
  element,
  jambonzElements,
  replayedElement,
  roleElement,
  spooledElement,
} from './extension-data.ts'
import type { Replayed } from './fork-binding.ts'
import type { SpooledSpan } from './spool-port.ts'
import type { StreamNow } from './streams.ts'

/** A stream as a document tells of it. */
export interface DocumentedStream extends Pick<StreamNow, 'label' | 'streamId' | 'senders' | 'receivers'> {
  /** What it was sent of what had been said before the session. */
  readonly replayed?: Replayed
}

/** What a document is built from. Times are milliseconds since 1970-01-01 UTC. */
export interface MetadataFacts {
  readonly snapshot: CallSnapshot
  /** Streams with an m-line in the session, also those that the recorder refused or that are over. */
  readonly streams: readonly DocumentedStream[]
  /** The page's "Call Recording ID"; empty means none, and then no element names one. */
  readonly recordingId: string
  /** How the asker identifies the call; absent: recorders are told our own id of it. */
  readonly application?: ApplicationIds
  /** When the communication session was tied to the recording session. */
  readonly associatedAtMs: number
  /** When it was untied; the end of the call counts as well. */
  readonly disassociatedAtMs?: number
  /** Puts jambonz' elements into the wrapper that its recorders look for, which the schema does not allow. */
  readonly jambonzWrapper: boolean
  /** It was kept before it was delivered. */
  readonly spooled?: SpooledSpan
  /** Namespace of the extension data; absent: ours. */
  readonly extensionNamespace?: string
}

/** A communication session of the call, of which a transfer may make several (RFC 8068 section 3.2.3). */
interface Session {
  readonly sessionId: string
  readonly sipSessionIds: readonly string[]
  readonly fromMs: number
  readonly toMs?: number
  readonly parties: readonly CallParty[]
  readonly isCurrent: boolean
}

/** The complete document: everyone and everything of this recording, leavers and earlier sessions included. */
export function buildMetadata(facts: MetadataFacts): RecordingMetadata {
  const { snapshot, jambonzWrapper } = facts
  const sessions = sessionsOf(facts)
  const jambonz = jambonzElements(snapshot, facts.recordingId, facts.application)
  const groupFromMs = Math.min(snapshot.startedAtMs, ...sessions.map(({ fromMs }) => fromMs))
  return {
    dataMode: 'complete',
    groups: [{ groupId: uuidBase64(snapshot.groupId), ...interval(groupFromMs, snapshot.endedAtMs), extensions: [] }],
    sessions: sessions.map((session) => ({
      ...describedSession(session, snapshot),
      extensions: session.isCurrent
        ? [
            callElement(snapshot, facts.recordingId, namespaceOf(facts)),
            ...(facts.spooled === undefined ? [] : [spooledElement(facts.spooled, namespaceOf(facts))]),
            ...(jambonzWrapper ? [] : jambonz),
          ]
        : [],
    })),
    participants: snapshot.parties.map((party) => participantOf(party, facts)),
    streams: facts.streams.map((stream) => ({
      streamId: uuidBase64(stream.streamId),
      sessionId: uuidBase64(snapshot.sessionId),
      label: stream.label,
      extensions: stream.replayed === undefined ? [] : [replayedElement(stream.replayed, namespaceOf(facts))],
    })),
    sessionRecordingAssocs: sessions.map(({ sessionId, fromMs, toMs, isCurrent }) => ({
      sessionId,
      ...interval(Math.max(facts.associatedAtMs, fromMs), (isCurrent ? facts.disassociatedAtMs : undefined) ?? toMs),
      extensions: [],
    })),
    participantSessionAssocs: sessions.flatMap((session) => session.parties.map((party) => memberOf(party, session))),
    participantStreamAssocs: snapshot.parties.map((party) => flowsOf(party, facts)),
    extensions: jambonzWrapper ? [element(RECORDING_NAMESPACE, 'extensiondata', jambonz)] : [],
  }
}

/** The sessions that this recording was tied to, oldest first. */
function sessionsOf({ snapshot, associatedAtMs }: MetadataFacts): Session[] {
  const all = snapshot.earlierSessions ?? []
  const earlier = all
    .filter(({ endedAtMs }) => endedAtMs > associatedAtMs)
    .map((session): Session => {
      const ids = new Set(session.participantIds.map(uuidBase64))
      const parties = snapshot.parties.filter((party) => ids.has(uuidBase64(party.participantId)))
      const { sipSessionIds = [], startedAtMs: fromMs, endedAtMs: toMs } = session
      return { sessionId: uuidBase64(session.sessionId), sipSessionIds, fromMs, toMs, parties, isCurrent: false }
    })
  const fromMs = Math.max(snapshot.startedAtMs, all.at(-1)?.endedAtMs ?? 0)
  const hasBegun = all.length > 0
  const current: Session = {
    sessionId: uuidBase64(snapshot.sessionId),
    sipSessionIds: snapshot.sipSessionIds ?? [],
    fromMs,
    ...(snapshot.endedAtMs === undefined ? {} : { toMs: snapshot.endedAtMs }),
    parties: snapshot.parties.filter(({ leftAtMs }) => !hasBegun || leftAtMs === undefined || leftAtMs > fromMs),
    isCurrent: true,
  }
  return [...earlier, current]
}

function describedSession(
  { sessionId, sipSessionIds, fromMs, toMs, isCurrent }: Session,
  snapshot: CallSnapshot,
): MetadataSession {
  const { endReason } = snapshot
  return {
    sessionId,
    sipSessionIds,
    reasons: isCurrent && endReason !== undefined && isShort(endReason.cause) ? [endReason] : [],
    groupRef: uuidBase64(snapshot.groupId),
    startTime: rfc3339(fromMs),
    ...(toMs === undefined ? {} : { stopTime: rfc3339(Math.max(fromMs, toMs)) }),
    extensions: [],
  }
}

// The schema's type of a cause; peers may send any number.
function isShort(cause: number): boolean {
  return Number.isInteger(cause) && cause >= -32_768 && cause <= 32_767
}

function participantOf(party: CallParty, facts: MetadataFacts): MetadataParticipant {
  const nameIds = party.aors.map((aor, index) => {
    const hasName = index === 0 && party.displayName !== undefined && party.displayName !== ''
    return { aor: publicAor(aor), ...(hasName ? { name: party.displayName } : {}) }
  })
  return {
    participantId: uuidBase64(party.participantId),
    nameIds,
    extensions: [roleElement(party, namespaceOf(facts))],
  }
}

function memberOf(party: CallParty, { sessionId, fromMs, toMs }: Session): ParticipantSessionAssoc {
  const untilMs = Math.min(party.leftAtMs ?? Number.POSITIVE_INFINITY, toMs ?? Number.POSITIVE_INFINITY)
  return {
    participantId: uuidBase64(party.participantId),
    sessionId,
    ...interval(Math.max(party.joinedAtMs, fromMs), Number.isFinite(untilMs) ? untilMs : undefined),
    params: [...(party.capabilities ?? [])],
    extensions: [],
  }
}

// The lists are absolute: a party that is not named as sender or receiver does neither (RFC 7865 section 6.8.1). At the end of the call
// they say of those who were there what ends now: a recorder that keeps the last document alone still knows who spoke where.
function flowsOf(party: CallParty, { snapshot, streams }: MetadataFacts): ParticipantStreamAssoc {
  const isPresent = party.leftAtMs === undefined
  const participantId = uuidBase64(party.participantId)
  const named = (list: 'senders' | 'receivers'): string[] =>
    streams
      .filter((stream) => isPresent && stream[list].some((each) => uuidBase64(each) === participantId))
      .map((stream) => uuidBase64(stream.streamId))
  return {
    participantId,
    send: named('senders'),
    recv: named('receivers'),
    ...interval(party.joinedAtMs, party.leftAtMs ?? snapshot.endedAtMs),
    extensions: [],
  }
}

// An end never precedes its beginning, though a wall clock may be set back.
function interval(fromMs: number, toMs: number | undefined): Interval {
  const associateTime = rfc3339(fromMs)
  return toMs === undefined ? { associateTime } : { associateTime, disassociateTime: rfc3339(Math.max(fromMs, toMs)) }
}

function namespaceOf({ extensionNamespace }: MetadataFacts): string {
  return extensionNamespace ?? CALL_NAMESPACE
}

// Address without port, password, headers and parameters other than user=phone and those of a tel URI.
function publicAor(aor: string): string {
  const parsed = parseSipUri(aor)
  if (!parsed.ok || parsed.value.scheme === 'tel') return aor
  const { scheme, user, host, params } = parsed.value
  const kept = params.get('user') === 'phone' ? new Map([['user', 'phone']]) : new Map<string, string>()
  return uriText({ scheme, ...(user === undefined ? {} : { user }), host, params: kept })
}
