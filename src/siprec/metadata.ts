// The recording metadata model of RFC 7865 section 6, element by element.

import type { XmlElement } from './xml-element.ts'

/** Namespace of RFC 7865 documents. */
export const RECORDING_NAMESPACE = 'urn:ietf:params:xml:ns:recording:1'

/** Namespace of our own extension elements: call, sipCallId, recordingRef, role. */
export const CALL_NAMESPACE = 'urn:siprec-gateway:call:1'

/** When an association began and ended; RFC 3339 text. */
export interface Interval {
  readonly associateTime?: string
  readonly disassociateTime?: string
}

/** What every element may carry: elements of other namespaces, in order. */
export interface Extensible {
  readonly extensions: readonly XmlElement[]
}

/** A group of related communication sessions (section 6.2). */
export interface MetadataGroup extends Interval, Extensible {
  readonly groupId: string
}

/** Why a communication session ended (RFC 3326 values). */
export interface EndReason {
  readonly protocol: string
  readonly cause: number
  readonly text: string
}

/** A communication session (section 6.3). */
export interface MetadataSession extends Extensible {
  readonly sessionId: string
  /** RFC 7989 pairs, never Call-IDs. */
  readonly sipSessionIds: readonly string[]
  readonly reasons: readonly EndReason[]
  readonly groupRef?: string
  readonly startTime?: string
  readonly stopTime?: string
}

/** One address of a participant. */
export interface NameId {
  readonly aor: string
  readonly name?: string
  /** Language tag of `name`. */
  readonly language?: string
}

/** A participant (section 6.5). */
export interface MetadataParticipant extends Extensible {
  readonly participantId: string
  readonly nameIds: readonly NameId[]
}

/** A media stream (section 6.7); `label` names its m-line. */
export interface MetadataStream extends Extensible {
  readonly streamId: string
  readonly sessionId?: string
  readonly label?: string
}

/** Communication session tied to this recording session (section 6.4). */
export interface SessionRecordingAssoc extends Interval, Extensible {
  readonly sessionId: string
}

/** A capability of a participant's device (RFC 4235). */
export interface Param {
  readonly name: string
  readonly value: string
}

/** Participant in a communication session (section 6.6). */
export interface ParticipantSessionAssoc extends Interval, Extensible {
  readonly participantId: string
  readonly sessionId: string
  readonly params: readonly Param[]
}

/** Streams that a participant contributes to and hears (section 6.8). */
export interface ParticipantStreamAssoc extends Interval, Extensible {
  readonly participantId: string
  readonly send: readonly string[]
  readonly recv: readonly string[]
}

/** A metadata document. Ids are base64 of 16 bytes on our side and opaque on input. */
export interface RecordingMetadata extends Extensible {
  readonly dataMode: 'complete' | 'partial'
  readonly groups: readonly MetadataGroup[]
  readonly sessions: readonly MetadataSession[]
  readonly participants: readonly MetadataParticipant[]
  readonly streams: readonly MetadataStream[]
  readonly sessionRecordingAssocs: readonly SessionRecordingAssoc[]
  readonly participantSessionAssocs: readonly ParticipantSessionAssoc[]
  readonly participantStreamAssocs: readonly ParticipantStreamAssoc[]
}

/** A document with nothing in it. */
export function emptyMetadata(dataMode: RecordingMetadata['dataMode']): RecordingMetadata {
  return {
    dataMode,
    groups: [],
    sessions: [],
    participants: [],
    streams: [],
    sessionRecordingAssocs: [],
    participantSessionAssocs: [],
    participantStreamAssocs: [],
    extensions: [],
  }
}

/** The document and all its elements that may carry extensions. */
export function extensiblesOf(metadata: RecordingMetadata): Extensible[] {
  return [
    metadata,
    ...metadata.groups,
    ...metadata.sessions,
    ...metadata.participants,
    ...metadata.streams,
    ...metadata.sessionRecordingAssocs,
    ...metadata.participantSessionAssocs,
    ...metadata.participantStreamAssocs,
  ]
}
