export {
  type Catalogue,
  type CatalogueFilter,
  type CataloguePage,
  type CatalogueQuery,
  type CatalogueRow,
  type Facets,
  openRow,
  rowOf,
} from './catalogue/catalogue.ts'
export type { JobQueue } from './catalogue/job-queue.ts'
export { JournaledCatalogue, type JournalTarget } from './catalogue/journaled-catalogue.ts'
export { openCatalogue, openCatalogueAndJobs } from './catalogue/open-database.ts'
export type { SqlCatalogue } from './catalogue/sql-catalogue.ts'
export {
  type ArchiveFormat,
  createDeriver,
  type DerivedFiles,
  type DeriveJob,
  type Deriver,
} from './derived/deriver.ts'
export type { ExternalDecoder } from './derived/external-decoder.ts'
export { type Peaks, type PeaksQuery, readPeaks } from './derived/peaks.ts'
export { Disk, type DiskCondition, type DiskPort, diskConditions, systemDisk } from './disk.ts'
export { DiskReserve } from './disk-reserve.ts'
export { exportRecording, isNote, proofFiles, storedFiles } from './evidence/export.ts'
export { Notary, type NotaryOptions } from './evidence/notary.ts'
export {
  evidenceOf,
  type ProofOutcome,
  proveRecording,
  type RecordingEvidence,
  type RecordingProof,
} from './evidence/proof.ts'
export { readPublicKeys, rotateSigningKey } from './evidence/signing-key.ts'
export { type Verification, verifyEvidence } from './evidence/verify.ts'
export { logicalRecording, type Take } from './library/logical-recording.ts'
export type { Rebuilt } from './library/rebuild.ts'
export { FolderLibrary, type RecordingLibrary, type Refusal } from './library/recording-library.ts'
export type {
  Alarm,
  AlarmCode,
  AlarmEntry,
  ClockFacts,
  Deviation,
  Gap,
  GapCause,
  Manifest,
  MediaKind,
  MetadataEntry,
  NoAudioCause,
  NotResumed,
  ParticipantFacts,
  PauseEvidence,
  RecordingFacts,
  RecordingState,
  RunManifest,
  SipFacts,
  SpeakerEvidence,
  StreamEvent,
  StreamManifest,
  StreamTotals,
  TimeAccount,
  VerdictFacts,
} from './manifest.ts'
export { audioOnly, NO_TOTALS } from './manifest.ts'
export { type RawRecord, readRawRun } from './raw-run-file.ts'
export { type Attest, type Closing, type LeftOpen, type MetadataDocument, RecordingFolder } from './recording-folder.ts'
export { RecordingStore, recoverRecordings } from './recording-store.ts'
export { type ClosedFolder, type LeftFolder, leftFolders, type RecoveryFailure, streamsLeft } from './recovery.ts'
export {
  applyRetention,
  type DueRecording,
  planRetention,
  type RetentionOutcome,
  type RetentionPlan,
} from './retention/retention.ts'
export type { RetentionRule } from './retention/rules.ts'
export type { RunMove } from './run-move.ts'
export { type ClockBend, RunTime } from './run-time.ts'
export { isSealedStore } from './sealing/key-ring.ts'
export { plainFiles, type RecordingFiles } from './sealing/recording-files.ts'
export { openRemoteFile, readRemoteGrown } from './sealing/remote-file.ts'
export { type Rotation, rotateKeys } from './sealing/rotate-keys.ts'
export { Vault, type VaultOptions } from './sealing/vault.ts'
export { g711FormatOf, type RunCodec, StreamFiles } from './stream-files.ts'
export type { ObjectStorage } from './upload/object-storage.ts'
export { openS3, type S3Settings } from './upload/s3-storage.ts'
export { readUploadRecord } from './upload/upload-file.ts'
export { eraseObjects, UploadLine, type UploadPolicy } from './upload/upload-line.ts'
export type { WavRunFile } from './wav-run-file.ts'
