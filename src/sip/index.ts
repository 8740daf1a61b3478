export { createSipCore } from './core.ts'
export type { SipCoreOptions } from './core-options.ts'
export { parseReplaces, type Replaces } from './dialog/replaces.ts'
export { type DnsAnswer, type DnsQuestion, Location } from './locate.ts'
export { type CSeq, type CSeqError, parseCSeq } from './message/cseq.ts'
export { type FramerOutput, StreamFramer } from './message/framer.ts'
export { SipHeaders } from './message/headers.ts'
export { request, response, type SipMessage, type SipRequest, type SipResponse } from './message/message.ts'
export { type NameAddr, type NameAddrError, parseNameAddr } from './message/name-addr.ts'
export { quote, splitList, unquote } from './message/params.ts'
export type { SipParseError } from './message/parse-error.ts'
export { parseMessage } from './message/parser.ts'
export { sameUri } from './message/same-uri.ts'
export { serializeMessage } from './message/serializer.ts'
export { reasonPhrase } from './message/status.ts'
export { parseSipUri, type SipUri, type UriError, uriText } from './message/uri.ts'
export { parseVia, type Via, type ViaError } from './message/via.ts'
export type {
  ClientInvite,
  ClientInviteHandlers,
  Credentials,
  DialogEnd,
  DialogHandlers,
  DialogSnapshot,
  EarlyDialog,
  HeaderList,
  HopChoice,
  IncomingRequest,
  InviteDialog,
  InviteOptions,
  MessageOptions,
  ReinviteOptions,
  RequestOutcome,
  ServerInvite,
  SessionIds,
  SessionTimerWish,
  SipBody,
  SipCore,
  SipCoreHandlers,
} from './session.ts'
export type {
  LocateError,
  PeerCertificate,
  SipFlow,
  SipLocator,
  SipTarget,
  SipTransportPort,
  TransportName,
} from './transport-port.ts'
