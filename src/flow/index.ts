export type { CallControl, CollectOutcome, DialOutcome, RecordingCommand, RecordingResult } from './call-control.ts'
