// Writes metadata documents in the order of the schema (RFC 7865 section 9).

import {
  extensiblesOf,
  type Interval,
  type MetadataGroup,
  type MetadataParticipant,
  type MetadataSession,
  type MetadataStream,
  type NameId,
  type ParticipantSessionAssoc,
  type ParticipantStreamAssoc,
  RECORDING_NAMESPACE,
  type RecordingMetadata,
  type SessionRecordingAssoc,
} from './metadata.ts'
import type { XmlElement } from './xml-element.ts'
import { leaf, node, optional, xmlDocument } from './xml-node.ts'
import { elementText, prefixesOf } from './xml-writer.ts'

/** Writes extension elements. */
type Foreign = (extensions: readonly XmlElement[]) => string[]

/** Serialises a document as UTF-8; characters that XML forbids are dropped from texts. */
export function writeMetadata(metadata: RecordingMetadata): Uint8Array {
  // Prefixes are declared once, on the root, so that recorders without namespace support find plain elements.
  const prefixes = prefixesOf(extensiblesOf(metadata).flatMap((each) => each.extensions))
  const scope = new Map([...prefixes, ['', RECORDING_NAMESPACE]])
  const foreign: Foreign = (extensions) => extensions.map((extension) => elementText(extension, scope))
  const declarations = [...prefixes].map(([prefix, namespace]) => [`xmlns:${prefix}`, namespace])
  const root = node('recording', { xmlns: RECORDING_NAMESPACE, ...Object.fromEntries(declarations) }, [
    leaf('datamode', metadata.dataMode),
    ...metadata.groups.map((each) => group(each, foreign)),
    ...metadata.sessions.map((each) => session(each, foreign)),
    ...metadata.participants.map((each) => participant(each, foreign)),
    ...metadata.streams.map((each) => stream(each, foreign)),
    ...metadata.sessionRecordingAssocs.map((each) => sessionRecordingAssoc(each, foreign)),
    ...metadata.participantSessionAssocs.map((each) => participantSessionAssoc(each, foreign)),
    ...metadata.participantStreamAssocs.map((each) => participantStreamAssoc(each, foreign)),
    ...foreign(metadata.extensions),
  ])
  return xmlDocument(root)
}

/** Serialises a request for a complete document (RFC 7866 section 9.2). */
export function writeSnapshotRequest(reason?: string): Uint8Array {
  const children = reason === undefined ? [] : [leaf('requestreason', reason)]
  return xmlDocument(node('requestsnapshot', { xmlns: RECORDING_NAMESPACE }, children))
}

function group(each: MetadataGroup, foreign: Foreign): string {
  return node('group', { group_id: each.groupId }, [...interval(each), ...foreign(each.extensions)])
}

function session(each: MetadataSession, foreign: Foreign): string {
  return node('session', { session_id: each.sessionId }, [
    ...each.sipSessionIds.map((id) => leaf('sipSessionID', id)),
    ...each.reasons.map((reason) =>
      leaf('reason', reason.text, { cause: `${reason.cause}`, protocol: reason.protocol }),
    ),
    ...optional('group-ref', each.groupRef),
    ...optional('start-time', each.startTime),
    ...optional('stop-time', each.stopTime),
    ...foreign(each.extensions),
  ])
}

function participant(each: MetadataParticipant, foreign: Foreign): string {
  return node('participant', { participant_id: each.participantId }, [
    ...each.nameIds.map(nameId),
    ...foreign(each.extensions),
  ])
}

function nameId(each: NameId): string {
  const name = each.name === undefined ? [] : [leaf('name', each.name, { 'xml:lang': each.language })]
  return node('nameID', { aor: each.aor }, name)
}

function stream(each: MetadataStream, foreign: Foreign): string {
  const children = [...optional('label', each.label), ...foreign(each.extensions)]
  return node('stream', { stream_id: each.streamId, session_id: each.sessionId }, children)
}

function sessionRecordingAssoc(each: SessionRecordingAssoc, foreign: Foreign): string {
  const children = [...interval(each), ...foreign(each.extensions)]
  return node('sessionrecordingassoc', { session_id: each.sessionId }, children)
}

function participantSessionAssoc(each: ParticipantSessionAssoc, foreign: Foreign): string {
  return node('participantsessionassoc', { participant_id: each.participantId, session_id: each.sessionId }, [
    ...interval(each),
    ...each.params.map((param) => node('param', { pname: param.name, pval: param.value }, [])),
    ...foreign(each.extensions),
  ])
}

function participantStreamAssoc(each: ParticipantStreamAssoc, foreign: Foreign): string {
  return node('participantstreamassoc', { participant_id: each.participantId }, [
    ...each.send.map((id) => leaf('send', id)),
    ...each.recv.map((id) => leaf('recv', id)),
    ...interval(each),
    ...foreign(each.extensions),
  ])
}

function interval(each: Interval): string[] {
  return [...optional('associate-time', each.associateTime), ...optional('disassociate-time', each.disassociateTime)]
}
