export type { Call } from './call.ts'
export type { FlowStarter, InfoHook } from './call-context.ts'
export {
  type CallCensus,
  type CallService,
  type CallServiceEvent,
  type CallServiceOptions,
  createCallService,
} from './call-service.ts'
export { createDestinationPolicy, type DestinationPolicy } from './destinations.ts'
export type { DialResult } from './failure-status.ts'
export type { CallEvent, CallParty, CallSnapshot, RecordableCall } from './recordable-call.ts'
export { createRouter, type Route, type RouteRule, type Router } from './router.ts'
