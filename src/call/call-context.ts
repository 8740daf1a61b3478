// What a call is given by the service that made it.

import type { MediaEngine, Prompt } from '#engine'
import type { Clock, Ids, Logger } from '#kernel'
import type { Credentials, IncomingRequest, Replaces, SessionTimerWish, SipCore, SipUri } from '#sip'
import type { Consultation } from './attended-transfer.ts'
import type { ToneRules } from './awareness.ts'
import type { Call } from './call.ts'
import type { DestinationPolicy } from './destinations.ts'
import type { Identities } from './identities.ts'
import type { SrtpPolicy } from './protection.ts'
import type { TransferPolicy } from './transfer.ts'

/** Hands a call to a flow by name; the flow runs on after this returns. */
export type FlowStarter = (call: Call, flowName: string) => void

/** Sees each INFO of a call that is no digit; true: it was, or will be, answered there. */
export type InfoHook = (call: Call, incoming: IncomingRequest) => boolean

/** The surroundings of a call. */
export interface CallContext {
  readonly core: () => SipCore
  readonly engine: MediaEngine
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
  /** Host name in From and Warning. */
  readonly domain: string
  readonly identities: Identities
  readonly destinations: DestinationPolicy
  /** What challenges of whoever is called there are answered with. */
  readonly credentialsFor: (uri: SipUri) => Credentials | undefined
  readonly transfer: TransferPolicy
  readonly srtp: SrtpPolicy
  /** How parties are told that they are recorded whose phones do not show it. */
  readonly tones: ToneRules
  /** Loads an announcement; undefined: it cannot be played. */
  readonly announcement: (name: string) => Promise<Prompt | undefined>
  /** A party from whom media is due and who sends none for so long is taken for gone. */
  readonly silenceLimitMs: number
  /** Asked for in calls to callees; absent: none is (RFC 4028). */
  readonly sessionTimer: SessionTimerWish | undefined
  readonly info: InfoHook | undefined
  readonly flows: FlowStarter
  /** The call through us that a dialog is of. */
  readonly consultation: (dialog: Replaces) => Consultation | undefined
  /** The call is over, and its media is released. */
  readonly onReleased: (call: Call) => void
}
