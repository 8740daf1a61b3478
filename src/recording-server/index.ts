export { type RecordMedia, startRecordMedia } from './record-media.ts'
export type { RecordCommand, RecordEvent, RecordReplies, RecordWorkerOptions } from './record-messages.ts'
export { createRecordingServer, type RecordingServer, type RecordingServerOptions } from './recording-server.ts'
export type { AlarmKind, LiveSession, LiveStream, RecordingServerEvent } from './server-events.ts'
