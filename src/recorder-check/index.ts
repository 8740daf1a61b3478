export { type CheckReport, checkText } from './check-report.ts'
export type { CheckSockets } from './check-stream.ts'
export { checkRecorder } from './recorder-check.ts'
