export type {
  CallView,
  PageQuery,
  Readiness,
  RecordingView,
} from './contract.ts'
export { EventLog } from './events/event-log.ts'
export type { EventNews, EventType } from './events/event-vocabulary.ts'
export { createHttpServer, type HttpServer, type HttpServerOptions } from './http-server.ts'
export type { InfoRecordingCommand } from './info-dialect.ts'
export { RecordingInfo, type RecordingInfoOptions } from './recording-info.ts'
export type {
  AudioFile,
  CallsView,
  CapturesView,
  HealthView,
  MetadataDocument,
  MetricsSnapshot,
  MetricsView,
  RecordersView,
  RecordingsView,
} from './views.ts'
