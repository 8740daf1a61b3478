export { Access } from './access/access.ts'
export { type OidcOptions, OidcSignIn } from './access/oidc/oidc-sign-in.ts'
export { hashPassword, passwordHashPattern } from './access/password.ts'
export { roleNames, type Scope, scopeNames, scopes } from './access/scopes.ts'
export { type Account, AccountSignIn } from './access/sign-in.ts'
export { TokenFile } from './access/token-file.ts'
export { AuditLog, verifyAudit } from './audit/audit-log.ts'
export type {
  CallRecordNews,
  CallRecordSummary,
  CallRecordView,
  RecordVerdict,
} from './call-records/call-record-contract.ts'
export { CallRecordLog } from './call-records/call-record-log.ts'
export type { CallView, Readiness } from './contract.ts'
export { EventLog } from './events/event-log.ts'
export type { EventNews, EventType } from './events/event-vocabulary.ts'
export type { FlowsView } from './flow-contract.ts'
export { createHttpServer, type HttpServer, type HttpServerOptions } from './http-server.ts'
export type { InfoRecordingCommand } from './info-dialect.ts'
export type { CallListening } from './live/call-listening-routes.ts'
export type { HeardFrame, Hearer } from './live/listen-socket.ts'
export type { LiveSessionsView, LiveSessionView, PauseOutcome } from './live/live-session-routes.ts'
export { NO_CALLS } from './metrics.ts'
export type { RecorderClientsView } from './recorder-client-contract.ts'
export type { RecorderTest, RecorderTestBegin, RecorderTestsView } from './recorder-test-contract.ts'
export { type InfoOutcome, RecordingInfo, type RecordingInfoOptions } from './recording-info.ts'
export type { HistoryView, LedgerView } from './recordings/document-contract.ts'
export type { EvidenceView, ProofView } from './recordings/evidence-contract.ts'
export type { LogicalRecordingView, SessionGroupView } from './recordings/logical-recording-contract.ts'
export type { AudioQuery, RecordingSummary, RecordingView } from './recordings/recording-contract.ts'
export type { VconView } from './recordings/vcon-contract.ts'
export type { SetUpView } from './set-up-contract.ts'
export type { TestCall, TestCallOrder, TestCallsView } from './test-call-contract.ts'
export type { MediaSample, TraceSummary, TraceView } from './trace-contract.ts'
export type { TracesView } from './trace-routes.ts'
export type {
  ArchivePart,
  AudioFile,
  CallsView,
  CapturesView,
  CommandResult,
  HealthView,
  MetricsSnapshot,
  MetricsView,
  RecordersView,
  RecordingsView,
  SpoolView,
  VconOptions,
} from './views.ts'
export type { WebhookOrder } from './webhooks/webhook-target.ts'
export { Webhooks } from './webhooks/webhooks.ts'
