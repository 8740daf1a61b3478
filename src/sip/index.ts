export type { SipMessage, SipRequest, SipResponse } from './message/message.ts'
export type {
  ClientInvite,
  ClientInviteHandlers,
  DialogEnd,
  DialogHandlers,
  HeaderList,
  IncomingRequest,
  InviteDialog,
  InviteOptions,
  MessageOptions,
  RequestOutcome,
  ServerInvite,
  SipBody,
  SipCore,
  SipCoreHandlers,
} from './session.ts'
export type { LocateError, SipFlow, SipLocator, SipTarget, SipTransportPort, TransportName } from './transport-port.ts'
