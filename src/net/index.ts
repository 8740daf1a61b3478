export { socketsRead, systemClock } from './clock.ts'
export { cryptoIds } from './ids.ts'
export { createLocator, type LocatorOptions } from './locator.ts'
export {
  type BoundListener,
  type SipListen,
  type SipSocketCensus,
  SipTransport,
  type SipTransportOptions,
} from './sip-transport.ts'
export type { TlsIdentity, TlsOptions } from './tls-options.ts'
