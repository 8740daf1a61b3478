export {
  type BodyPart,
  isMetadata,
  isSdp,
  LEGACY_METADATA_TYPE,
  METADATA_DISPOSITION,
  METADATA_TYPE,
  parseBody,
} from './body.ts'
export { buildMultipart, type OutgoingPart, recordingBody } from './body-writer.ts'
export { type LineSpeakers, lineSpeakers, type SpeakerEvidence, type SpeakerHints } from './line-speakers.ts'
export {
  CALL_NAMESPACE,
  type EndReason,
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
export type { Dialect } from './metadata-dialect.ts'
export { changesOf, isEmptyMetadata } from './metadata-difference.ts'
export { writeDraftMetadata } from './metadata-draft-writer.ts'
export { type IdConflict, withoutIdConflicts } from './metadata-ids.ts'
export { type DocumentFault, type DocumentFaultCode, inspectMetadata } from './metadata-inspection.ts'
export { applyMetadata } from './metadata-merge.ts'
export { callingParticipant } from './metadata-parties.ts'
export { parseMetadata, type ReadMetadata } from './metadata-reader.ts'
export { redactMetadata, type StandIns } from './metadata-redaction.ts'
export { validateMetadata } from './metadata-rules.ts'
export { writeMetadata, writeSnapshotRequest } from './metadata-writer.ts'
export { isUuidBase64, rfc3339, uuidBase64 } from './values.ts'
export { childElements, textOf, type XmlAttribute, type XmlElement } from './xml-element.ts'
