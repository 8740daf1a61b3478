export { type Catalogue, type CatalogueQuery, type CatalogueRow, openRow, rowOf } from './catalogue.ts'
export type {
  Deviation,
  Gap,
  GapCause,
  Manifest,
  MetadataEntry,
  NoAudioCause,
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
  VerdictFacts,
} from './manifest.ts'
export { NO_TOTALS } from './manifest.ts'
export { type RawRecord, readRawRun } from './raw-run-file.ts'
export { type MetadataDocument, RecordingFolder } from './recording-folder.ts'
export { RecordingStore, rebuildCatalogue, recoverRecordings } from './recording-store.ts'
export type { RecoveryFailure } from './recovery.ts'
export { openSqliteCatalogue } from './sqlite-catalogue.ts'
export { g711FormatOf, type RunCodec, StreamFiles } from './stream-files.ts'
export type { WavRunFile } from './wav-run-file.ts'
