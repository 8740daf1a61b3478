export { type CheckReport, checkText } from './check-report.ts'
export { type CheckSocket, type CheckSockets, CheckStream } from './check-stream.ts'
export { checkRecorder } from './recorder-check.ts'
