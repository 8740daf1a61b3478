// Builds the complete metadata document of a recording session from a call's facts (RFC 7865 section 6).

import type { CallParty, CallSnapshot } from '#call'
import { parseSipUri, uriText } from '#sip'
import {
  CALL_NAMESPACE,
  type Interval,
  type MetadataParticipant,
  type MetadataSession,
  type ParticipantStreamAssoc,
  RECORDING_NAMESPACE,
  type RecordingMetadata,
  rfc3339,
  uuidBase64,
  type XmlElement,
} from '#siprec'
import type { SpooledSpan } from './spool-port.ts'
import type { StreamRoles } from './streams.ts'

const JAMBONZ_NAMESPACE = 'http://jambonz.org/siprec'

/** What a document is built from. Times are milliseconds since 1970-01-01 UTC. */
export interface MetadataFacts {
  readonly snapshot: CallSnapshot
  readonly streams: readonly StreamRoles[]
  /** The page's "Call Recording ID"; empty means none, and then no element names one. */
  readonly recordingId: string
  /** When the communication session was tied to the recording session. */
  readonly associatedAtMs: number
  /** When it was untied; the end of the call counts as well. */
  readonly disassociatedAtMs?: number
  /** Puts jambonz' elements into the wrapper that its recorders look for, which the schema does not allow. */
  readonly jambonzWrapper: boolean
  /** It was kept before it was delivered. */
  readonly spooled?: SpooledSpan
}

/** The complete document: everyone and everything of this recording, leavers included. */
export function buildMetadata(facts: MetadataFacts): RecordingMetadata {
  const { snapshot, streams } = facts
  const sessionId = uuidBase64(snapshot.sessionId)
  const jambonz = jambonzElements(facts)
  const disassociatedAtMs = facts.disassociatedAtMs ?? snapshot.endedAtMs
  return {
    dataMode: 'complete',
    groups: [
      { groupId: uuidBase64(snapshot.groupId), ...interval(snapshot.startedAtMs, snapshot.endedAtMs), extensions: [] },
    ],
    sessions: [sessionOf(facts, sessionId, facts.jambonzWrapper ? [] : jambonz)],
    participants: snapshot.parties.map(participantOf),
    streams: streams.map((stream) => ({
      streamId: uuidBase64(stream.streamId),
      sessionId,
      label: stream.label,
      extensions: [],
    })),
    sessionRecordingAssocs: [{ sessionId, ...interval(facts.associatedAtMs, disassociatedAtMs), extensions: [] }],
    participantSessionAssocs: snapshot.parties.map((party) => ({
      participantId: uuidBase64(party.participantId),
      sessionId,
      ...presence(party, snapshot),
      params: [],
      extensions: [],
    })),
    participantStreamAssocs: snapshot.parties.map((party) => flowsOf(party, facts)),
    extensions: facts.jambonzWrapper ? [element(RECORDING_NAMESPACE, 'extensiondata', jambonz)] : [],
  }
}

function sessionOf(facts: MetadataFacts, sessionId: string, jambonz: readonly XmlElement[]): MetadataSession {
  const { snapshot } = facts
  const { startedAtMs, endedAtMs, endReason } = snapshot
  return {
    sessionId,
    sipSessionIds: [],
    reasons: endReason !== undefined && isShort(endReason.cause) ? [endReason] : [],
    groupRef: uuidBase64(snapshot.groupId),
    startTime: rfc3339(startedAtMs),
    ...(endedAtMs === undefined ? {} : { stopTime: rfc3339(Math.max(startedAtMs, endedAtMs)) }),
    extensions: [callElement(facts), ...spooledElement(facts), ...jambonz],
  }
}

// The schema's type of a cause; peers may send any number.
function isShort(cause: number): boolean {
  return Number.isInteger(cause) && cause >= -32_768 && cause <= 32_767
}

function participantOf(party: CallParty): MetadataParticipant {
  const nameIds = party.aors.map((aor, index) => {
    const hasName = index === 0 && party.displayName !== undefined && party.displayName !== ''
    return { aor: publicAor(aor), ...(hasName ? { name: party.displayName } : {}) }
  })
  return {
    participantId: uuidBase64(party.participantId),
    nameIds,
    extensions: [element(CALL_NAMESPACE, 'role', [party.role])],
  }
}

// The lists are absolute: a party that is not named as sender or receiver does neither (RFC 7865 section 6.8.1).
function flowsOf(party: CallParty, { snapshot, streams }: MetadataFacts): ParticipantStreamAssoc {
  const isPresent = party.leftAtMs === undefined && snapshot.endedAtMs === undefined
  const participantId = uuidBase64(party.participantId)
  const named = (list: 'senders' | 'receivers'): string[] =>
    streams
      .filter((stream) => isPresent && stream[list].some((each) => uuidBase64(each) === participantId))
      .map((stream) => uuidBase64(stream.streamId))
  return {
    participantId,
    send: named('senders'),
    recv: named('receivers'),
    ...presence(party, snapshot),
    extensions: [],
  }
}

function presence(party: CallParty, snapshot: CallSnapshot): Interval {
  return interval(party.joinedAtMs, party.leftAtMs ?? snapshot.endedAtMs)
}

// An end never precedes its beginning, though a wall clock may be set back.
function interval(fromMs: number, toMs: number | undefined): Interval {
  const associateTime = rfc3339(fromMs)
  return toMs === undefined ? { associateTime } : { associateTime, disassociateTime: rfc3339(Math.max(fromMs, toMs)) }
}

function callElement({ snapshot, recordingId }: MetadataFacts): XmlElement {
  const callIds = new Map(snapshot.parties.map((party) => [`${party.leg} ${party.sipCallId}`, party]))
  const children = [...callIds.values()]
    .filter((party) => party.sipCallId !== '')
    .map((party) => element(CALL_NAMESPACE, 'sipCallId', [party.sipCallId], { leg: party.leg }))
  if (recordingId !== '') children.push(element(CALL_NAMESPACE, 'recordingRef', [recordingId]))
  return element(CALL_NAMESPACE, 'call', children, { direction: snapshot.direction })
}

// What was spooled arrives later than it was said, and what was paused is missing.
function spooledElement({ spooled }: MetadataFacts): XmlElement[] {
  if (spooled === undefined) return []
  const span = ({ fromMs, toMs }: { readonly fromMs: number; readonly toMs?: number }): Record<string, string> => ({
    from: rfc3339(fromMs),
    ...(toMs === undefined ? {} : { to: rfc3339(Math.max(fromMs, toMs)) }),
  })
  const gaps = spooled.gaps.map((gap) => element(CALL_NAMESPACE, 'gap', [], { reason: gap.reason, ...span(gap) }))
  return [element(CALL_NAMESPACE, 'spooled', gaps, span(spooled))]
}

// Names as jambonz spells them; its recorders key on callsid and recordingid.
function jambonzElements({ snapshot, recordingId }: MetadataFacts): XmlElement[] {
  const caller = snapshot.parties.find((party) => party.role === 'caller')
  const called =
    snapshot.parties.find((party) => party.role === 'automaton') ??
    snapshot.parties.find((party) => party.role === 'callee')
  const values = {
    callsid: snapshot.callId,
    direction: snapshot.direction,
    recordingid: recordingId,
    callednumber: numberOf(called),
    callingnumber: numberOf(caller),
  }
  return Object.entries(values)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => ({ ...element(JAMBONZ_NAMESPACE, name, [value]), prefix: 'jb' }))
}

function numberOf(party: CallParty | undefined): string {
  const parsed = parseSipUri(party?.aors[0] ?? '')
  return parsed.ok ? (parsed.value.user ?? '') : ''
}

// Address without port, password, headers and parameters other than user=phone and those of a tel URI.
function publicAor(aor: string): string {
  const parsed = parseSipUri(aor)
  if (!parsed.ok || parsed.value.scheme === 'tel') return aor
  const { scheme, user, host, params } = parsed.value
  const kept = params.get('user') === 'phone' ? new Map([['user', 'phone']]) : new Map<string, string>()
  return uriText({ scheme, ...(user === undefined ? {} : { user }), host, params: kept })
}

function element(
  namespace: string,
  name: string,
  children: readonly (XmlElement | string)[],
  attributes: Readonly<Record<string, string>> = {},
): XmlElement {
  const entries = Object.entries(attributes).map(([attribute, value]) => ({ name: attribute, value }))
  return { namespace, name, attributes: entries, children }
}
