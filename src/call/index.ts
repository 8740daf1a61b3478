export type { ToneRules } from './awareness.ts'
export type { Call } from './call.ts'
export type { QuotaRules } from './call-quotas.ts'
export { type CallService, createCallService } from './call-service.ts'
export { createDestinationPolicy, type DestinationPolicy } from './destinations.ts'
export type { DialResult } from './failure-status.ts'
export { ANONYMOUS } from './identity.ts'
export { withoutPrivateIdentities } from './privacy.ts'
export type {
  CallEvent,
  CallParty,
  CallSnapshot,
  EarlierSession,
  RecordableCall,
} from './recordable-call.ts'
export { createRouter, type RouteRule } from './router.ts'
export type { JoinResult } from './third-party.ts'
export type { TransferPolicy } from './transfer.ts'
