export type {
  ApplicationIds,
  CommandOrigin,
  CommandOutcome,
  PauseEnd,
  PauseLimit,
  RecorderReceipt,
  StartCommand,
} from './command.ts'
export type { CaptureBundle, CaptureEntry } from './evidence/capture.ts'
export { CaptureCollector } from './evidence/capture-collector.ts'
export { redactMessage } from './evidence/message-redaction.ts'
export { CaptureStandIns } from './evidence/stand-ins.ts'
export { type InvitationRule, RecorderInvitations } from './recorder-invitations.ts'
export { defaultProfile, type RecorderCredentials, type RecorderProfile } from './recorder-profile.ts'
export type { AttemptOutcome, RecorderDirectory } from './recorders/recorder-directory.ts'
export { RecorderProbes } from './recorders/recorder-probes.ts'
export { RecorderRegistry } from './recorders/recorder-registry.ts'
export { RecordingClient } from './recording-client.ts'
export type { RecordingEvent, RecordingView } from './recording-event.ts'
export type { ReportedState } from './recording-news.ts'
export { defaultTimes, type RecordingSurroundings, type RecordingTimes } from './session-port.ts'
export type { SpoolEvent, SpooledFile, SpoolPort } from './spool-port.ts'
export { defaultPolicy, parsePolicy, policyForm } from './success-policy.ts'
