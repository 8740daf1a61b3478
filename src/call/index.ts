export type { CallEvent, CallParty, CallSnapshot, RecordableCall } from './recordable-call.ts'
