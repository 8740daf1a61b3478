export type { CommandOrigin, CommandOutcome, RecorderReceipt, StartCommand } from './command.ts'
export type { ReportedState } from './recording.ts'
export { RecordingClient, type RecordingEvent, type RecordingView } from './recording-client.ts'
export { defaultTimes, type RecordingSurroundings, type RecordingTimes } from './session-port.ts'
