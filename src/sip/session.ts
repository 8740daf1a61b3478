// The SIP core as its users see it: INVITE sessions from both sides, in-dialog requests, plain requests.
// Nothing here throws for what the network does, and no promise rejects.

import type { Endpoint } from '#kernel'
import type { SipRequest, SipResponse } from './message/message.ts'
import type { SipFlow, TransportName } from './transport-port.ts'

/** Extra headers, in order; names in any case. */
export type HeaderList = ReadonlyArray<readonly [name: string, value: string]>

/** A message body with its type; `disposition` becomes Content-Disposition. */
export interface SipBody {
  readonly contentType: string
  readonly content: Uint8Array
  readonly disposition?: string
}

/** What may be added to a message that we send. A header given here replaces the core's own of that name. */
export interface MessageOptions {
  readonly headers?: HeaderList
  readonly body?: SipBody
  /** Reason phrase of a response. */
  readonly reason?: string
  /** Of a request within a dialog: nobody's answer does not end the dialog; the user judges what it means. */
  readonly outlivesSilence?: boolean
}

/** How a client request ended. `response` is absent when none arrived. */
export interface RequestOutcome {
  /** Final status; 408 for silence (timer B/F), 503 for transport or DNS failure (RFC 3261 section 8.1.3.1). */
  readonly status: number
  readonly reason: string
  readonly cause: 'response' | 'timeout' | 'transport' | 'dns' | 'cancelled' | 'dialog-gone'
  readonly response?: SipResponse
}

/** What to answer digest challenges with (RFC 8760). */
export interface Credentials {
  readonly username: string
  readonly password: string
  /** MD5 is weak, and answered only when told. */
  readonly allowMd5: boolean
}

/** A session timer that we ask for (RFC 4028); in seconds, 90 at least. */
export interface SessionTimerWish {
  readonly expiresSeconds: number
  /** The shortest interval that we take; 90 unless told. */
  readonly minSeconds?: number
}

/** What may be said of a re-INVITE. */
export interface ReinviteOptions extends MessageOptions {
  /** False: 491 is an outcome like any other, and the user offers anew by its own judgement; else the core sends the same again. */
  readonly retryGlare?: boolean
}

/** A request received within a dialog, or a stand-alone one; it must be answered exactly once. */
export interface IncomingRequest {
  readonly request: SipRequest
  readonly flow: SipFlow
  /** Answers; a second call is ignored and returns false. */
  respond(status: number, options?: MessageOptions): boolean
  /** For a re-INVITE answered with 2xx: told when its ACK arrived (whose body may be an answer). */
  onAck?: (ack: SipRequest) => void
  /** Told when the peer cancelled this re-INVITE; the core has answered 487. */
  onCancel?: () => void
}

/** Why a dialog ended. */
export interface DialogEnd {
  readonly cause: 'local-bye' | 'remote-bye' | 'no-ack' | 'gone' | 'session-expired' | 'transport' | 'shutdown'
  /** The peer's BYE. */
  readonly request?: SipRequest
  /** For `gone`: the status (481, 408) that showed it. */
  readonly status?: number
}

/** What a dialog tells its user. Every method is optional but `onEnd`. */
export interface DialogHandlers {
  /** The ACK of the initial 2xx that we sent; its body may be an answer. */
  onAck?(ack: SipRequest): void
  /** re-INVITE, UPDATE, INFO, REFER, NOTIFY, MESSAGE…; without this handler: 405 (re-INVITE: 488). BYE does not come here. */
  onRequest?(incoming: IncomingRequest): void
  /** The session is to be refreshed by a re-INVITE whose description is as before: the peer takes no UPDATE (RFC 4028 section 7.4). */
  onRefreshDue?(): void
  /** Called once, last. A BYE of the peer has been answered 200 by then. */
  onEnd(end: DialogEnd): void
}

/** The endpoints that a dialog joins, as Session-ID names them (RFC 7989): 32 lower-case hexadecimal digits each. */
export interface SessionIds {
  /** The peer's as last heard; of a peer that says none a version 5 UUID, if we represent others to it. */
  readonly remote: string | undefined
  /** Speaks for another endpoint from now on, who is asked for with each message; undefined when it is not known. Until then we are an endpoint ourselves. */
  represent(endpoint: () => string | undefined): void
}

/** A dialog whose INVITE is not answered yet (RFC 3261 section 12.1). */
export interface EarlyDialog {
  readonly remoteTag: string
  readonly sessionIds: SessionIds
  /** The first offer has been answered reliably (RFC 3262). */
  readonly isAgreed: boolean
  /** UPDATE may be sent: the first offer is answered, and the peer takes it. */
  readonly canUpdate: boolean
  /** UPDATE; 491 without a response when it may not be sent. */
  update(options: MessageOptions): Promise<RequestOutcome>
  /** UPDATE of the peer, with an offer or without; without this handler 500 and Retry-After. */
  onUpdate?: (incoming: IncomingRequest) => void
}

/** A confirmed dialog as it can be kept over the death of the process; plain data, without keys and bodies. */
export interface DialogSnapshot {
  readonly callId: string
  /** From or To value, with tag. */
  readonly localAddress: string
  readonly remoteAddress: string
  readonly routeSet: readonly string[]
  readonly remoteTarget: string
  readonly ownsCallId: boolean
  readonly isSecure: boolean
  readonly localCSeq: number
  readonly remoteCSeq?: number
  readonly remoteAllow: readonly string[]
  /** The peer's UUID of RFC 7989. */
  readonly remoteUuid?: string
  /** How the peer was reached last. */
  readonly transport: TransportName
  readonly local: Endpoint
  readonly remote: Endpoint
  /** The session timer in force; `expiresAtMs` is wall clock time. */
  readonly timer?: { readonly seconds: number; readonly isOurs: boolean; readonly expiresAtMs: number }
}

/** A confirmed INVITE dialog (RFC 3261 section 12). */
export interface InviteDialog {
  readonly callId: string
  readonly localTag: string
  readonly remoteTag: string
  readonly localUri: string
  readonly remoteUri: string
  /** `Allow` of the peer as last seen, upper case; empty when never said. */
  readonly remoteAllow: ReadonlySet<string>
  readonly sessionIds: SessionIds
  readonly ended: boolean
  /** All that `SipCore.restore` needs; undefined for dialogs whose peer was not heard by a flow. */
  snapshot(): DialogSnapshot | undefined
  /** Set by the user right when it gets the dialog. */
  handlers: DialogHandlers
  /** INFO, UPDATE, NOTIFY…: not INVITE, not BYE. */
  request(method: string, options?: MessageOptions): Promise<RequestOutcome>
  /**
   * re-INVITE with an offer in `body`. One at a time, others wait in order; 491 is retried by RFC 3261 14.1 unless told otherwise; the ACK is sent by the core. 481/408/timeout ends the dialog.
   * A function is asked anew at each try, so that an offer repeated after glare is still the next one (RFC 3264 section 8).
   */
  reinvite(options: ReinviteOptions | (() => ReinviteOptions)): Promise<RequestOutcome>
  /** The last offer before BYE: those that wait for their turn, or after glare, are given up for it, and end with the dialog. */
  lastReinvite(options: () => ReinviteOptions): Promise<RequestOutcome>
  /** Sends BYE; resolves with its outcome. The dialog counts as ended at once, and queued requests end with `dialog-gone`. */
  bye(options?: MessageOptions): Promise<RequestOutcome>
}

/** What may be said of a provisional response. */
export interface ProgressOptions extends MessageOptions {
  readonly reliable?: boolean
}

/** What may be said of the answer to an INVITE. */
export interface AcceptOptions extends MessageOptions {
  /** Header parameters of Contact on every message of the dialog, e.g. `+sip.src`; the core's own unless told. */
  readonly contactParams?: string
}

/** What an INVITE asks to take the place of (RFC 3891): a dialog, or an INVITE of ours that was not answered yet. */
export type ReplacedDialog =
  | { readonly kind: 'confirmed'; readonly dialog: InviteDialog }
  | { readonly kind: 'early'; readonly invite: ClientInvite }

/** An initial INVITE that we received. The core has sent 100. */
export interface ServerInvite {
  readonly request: SipRequest
  readonly flow: SipFlow
  /** To-tag of the dialog to be. */
  readonly localTag: string
  readonly sessionIds: SessionIds
  /** Set if the core supports `replaces` and the INVITE has one that matches. Whether it is allowed is for the user to say; BYE or CANCEL of the replaced one too. */
  readonly replaced: ReplacedDialog | undefined
  readonly early: EarlyDialog
  /** 101-199, any number of times before the final answer. Reliable if the caller demands it, or can do it and `reliable` is set (RFC 3262); true when it is. */
  progress(status: number, options?: ProgressOptions): boolean
  /** A PRACK with a body, of a provisional response of ours: an answer, or another offer. Without this handler an answer gets 200, an offer 488. */
  onPrack?: (incoming: IncomingRequest) => void
  /** 200 with our answer (or offer), after the PRACK of a description that was sent reliably; retransmitted until ACK (RFC 3261 13.3.1.4), BYE after 64*T1 without one. */
  accept(handlers: DialogHandlers, options?: AcceptOptions): InviteDialog
  /** What the dialog will be once it is accepted. */
  snapshot(): DialogSnapshot | undefined
  /** 300-699. */
  reject(status: number, options?: MessageOptions): void
  /** CANCEL or loss of the transaction before the final answer; the core has answered 487. */
  onCancel?: (cancel: SipRequest | undefined) => void
}

/** What may be said of the way to a peer beyond its URI; holds for every request of the dialog. */
export interface HopChoice {
  /** Transport for a `sip:` URI that names none; absent: by DNS (RFC 3263 section 4.1). */
  readonly transport?: TransportName
  /** Name of the certificates to be shown over TLS; absent: the transport's own. */
  readonly tlsIdentity?: string
}

/** Arguments of an outgoing INVITE. */
export interface InviteOptions extends MessageOptions, HopChoice {
  /** Request-URI and, unless `toUri` is given, To. */
  readonly uri: string
  readonly toUri?: string
  /** From as name-addr without tag, e.g. `"Alice" <sip:alice@gw.example>`. */
  readonly from: string
  /** Contact user part. */
  readonly contactUser?: string
  /** Header parameters of Contact on every message of the dialog, e.g. `+sip.src`. */
  readonly contactParams?: string
  readonly callId?: string
  /** Endpoint that we speak for in Session-ID; ourselves unless told. See SessionIds. */
  readonly represented?: () => string | undefined
  readonly maxForwards?: number
  /** Per target: no response at all within this time counts as silence, and the next target is tried. */
  readonly firstResponseTimeoutMs?: number
  /** Kept for all requests of the dialog. */
  readonly credentials?: Credentials
  /** Absent: no session timer is asked for; one that the peer asks for is kept, if the core supports `timer`. */
  readonly sessionTimer?: SessionTimerWish
  /** What to send instead after a refusal, with the next CSeq of the same Call-ID (RFC 3261 section 8.1.3.5); undefined: the refusal stands. */
  readonly insteadAfter?: (refusal: SipResponse) => MessageOptions | undefined
  /** Called for each target tried and failed. */
  readonly onTargetFailed?: (target: string, outcome: RequestOutcome) => void
}

/** What an outgoing INVITE tells its user; exactly one of onAccepted and onFailed is called, once. */
export interface ClientInviteHandlers {
  /** Reliable ones come in their order and once, and are acknowledged by the core. `early` is absent without a To-tag. */
  onProgress?(response: SipResponse, early?: EarlyDialog): void
  /**
   * First 2xx; `dialog.handlers` must be set in here. The core sends the ACK with `ackBody()` if the INVITE had no offer.
   * Further forked 2xx are ACKed and BYEd by the core (SRC-16).
   */
  onAccepted(dialog: InviteDialog, response: SipResponse): void
  /** Asked when the INVITE had no body: the answer to the offer in the 2xx, before onAccepted, or in a reliable 1xx. The ACK or PRACK waits for it. */
  ackBody?(response: SipResponse): SipBody | undefined | Promise<SipBody | undefined>
  onFailed(outcome: RequestOutcome): void
}

/** An INVITE under way. */
export interface ClientInvite {
  readonly callId: string
  /** CANCEL as RFC 3261 section 9 allows (at once after a 1xx, else at the first 1xx; a 2xx that crosses is ACKed and BYEd). onFailed(cancelled) follows at once. */
  cancel(options?: MessageOptions): void
}

/** The SIP core of one role: gateway or recorder. */
export interface SipCore {
  invite(options: InviteOptions, handlers: ClientInviteHandlers): ClientInvite
  /** Stand-alone request such as OPTIONS. */
  request(method: string, options: InviteOptions): Promise<RequestOutcome>
  /** Bytes of one message from a flow (a datagram, or one framed message of a stream). */
  receive(bytes: Uint8Array, flow: SipFlow): void
  /** Takes up a dialog of a process that died; its CSeq leaps ahead, for what was sent since the snapshot. */
  restore(snapshot: DialogSnapshot, handlers: DialogHandlers): InviteDialog
  /** Counters that must return to zero when nothing is going on. */
  census(): { readonly dialogs: number; readonly transactions: number; readonly timers: number }
  /** BYEs nothing: stops timers and forgets; for process end. */
  close(): void
}

/** What the core asks of its owner. */
export interface SipCoreHandlers {
  onInvite(invite: ServerInvite): void
  /** Stand-alone requests other than OPTIONS (which the core answers); without it 405. */
  onRequest?(incoming: IncomingRequest): void
}
