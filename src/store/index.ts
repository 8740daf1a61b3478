export { type Catalogue, type CatalogueQuery, type CatalogueRow, openRow, rowOf } from './catalogue.ts'
export {
  type ArchiveFormat,
  createDeriver,
  type DerivedFiles,
  type DeriveJob,
  type Deriver,
} from './derived/deriver.ts'
export { type Peaks, type PeaksQuery, readPeaks } from './derived/peaks.ts'
export { Disk, type DiskCondition, type DiskPort, systemDisk } from './disk.ts'
export type {
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
  StreamEvent,
  StreamManifest,
  StreamTotals,
} from './manifest.ts'
export { NO_TOTALS } from './manifest.ts'
export { type RawRecord, readRawRun } from './raw-run-file.ts'
export { type Closing, type MetadataDocument, RecordingFolder } from './recording-folder.ts'
export { RecordingStore, rebuildCatalogue, recoverRecordings } from './recording-store.ts'
export type { RecoveryFailure } from './recovery.ts'
export { openSqliteCatalogue } from './sqlite-catalogue.ts'
export { g711FormatOf, type RunCodec, StreamFiles } from './stream-files.ts'
export type { WavRunFile } from './wav-run-file.ts'
