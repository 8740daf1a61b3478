// What a SIP core is built from.

import type { Clock, Ids, Logger } from '#kernel'
import type { ChallengeReason, DigestGuardOptions } from './auth/digest-guard.ts'
import type { SessionTimerWish } from './session.ts'
import type { TimerValues } from './transaction/timer-values.ts'
import type { SipFlow, SipLocator, SipTransportPort } from './transport-port.ts'

/** Ports and fixed facts of one SIP core. */
export interface SipCoreOptions {
  /** Name of the role, for logs and traces. */
  readonly name: string
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
  readonly transport: SipTransportPort
  readonly locator: SipLocator
  /** Value of User-Agent and Server. */
  readonly product: string
  /** Option tags understood in Require and sent in Supported. */
  readonly supported: readonly string[]
  /** Option tags understood in Require beside those of `supported`; never sent. */
  readonly understood?: readonly string[]
  /** Methods answered with other than 405, as sent in Allow. */
  readonly allow: readonly string[]
  /** Body types taken in INVITE and UPDATE; multipart bodies always are (RFC 5621 section 3.1). */
  readonly accept: readonly string[]
  readonly contactUser: string
  /** Header parameters of every Contact, e.g. `+sip.srs`. */
  readonly contactParams?: string
  /** Requests with a Contact that cannot be read, and datagrams shorter than their Content-Length, are taken instead of answered 400. */
  readonly isTolerant?: boolean
  readonly timers?: Partial<TimerValues>
  /** False: the request is answered 403 before anything else is looked at. */
  readonly admit?: (flow: SipFlow) => boolean
  /** Requests that make a dialog or stand alone, but OPTIONS, must prove who sends them, those within dialogs as it says; anybody's are taken unless told. */
  readonly authenticate?: DigestGuardOptions
  /** Told before the request of a Call-ID is answered 401, by `admit` 403, or 503 as its address guesses. */
  readonly onRefused?: (callId: string, reason: ChallengeReason | 'not-listed', flow: SipFlow) => void
  /** What a caller is answered about session timers, if `timer` is supported; what it asks for itself unless told. */
  readonly sessionTimer?: SessionTimerWish
  /** False: OPTIONS outside a dialog is answered 503, so that a load balancer goes elsewhere; true unless told. */
  readonly isAvailable?: () => boolean
  /** Server transactions at a time, above which new requests get 503; 100,000 unless told, as each rests for 32 s (timers J, L). */
  readonly maxTransactions?: number
}
