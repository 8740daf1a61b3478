// The calls of the gateway: admission, routing, and the list of who is talking.

import type { MediaEngine, Prompt } from '#engine'
import { type Clock, type Endpoint, type Ids, invariant, Listeners, type Logger, messageOf, redactUri } from '#kernel'
import {
  type Credentials,
  type HeaderList,
  type InviteDialog,
  parseSipUri,
  type Replaces,
  type ServerInvite,
  type SessionTimerWish,
  type SipCore,
  type SipCoreHandlers,
  type SipRequest,
  type SipUri,
} from '#sip'
import { ActiveCalls } from './active-calls.ts'
import type { Consultation } from './attended-transfer.ts'
import type { ToneRules } from './awareness.ts'
import { Call } from './call.ts'
import type { FlowStarter, InfoHook } from './call-context.ts'
import { type CallOwner, CallQuotas, type QuotaExcess, type QuotaRules } from './call-quotas.ts'
import { type Refusal, refuse } from './caller-side.ts'
import type { DestinationPolicy } from './destinations.ts'
import { hopsLeft } from './hops.ts'
import { Identities } from './identities.ts'
import type { SrtpPolicy } from './protection.ts'
import type { Route, Router } from './router.ts'
import type { TransferPolicy } from './transfer.ts'

/** What a call service is made of. */
export interface CallServiceOptions {
  readonly engine: MediaEngine
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
  /** Host name in From and Warning headers that we write. */
  readonly domain: string
  /** Our sent-by addresses: a call whose Via has one of them is a loop. */
  readonly ownAddresses: () => readonly Endpoint[]
  readonly router: Router
  readonly destinations: DestinationPolicy
  /** Peers whose assertions of identity are believed, and who are told those of others. */
  readonly trustedIdentities: DestinationPolicy
  /** What challenges of whoever is called there are answered with; absent: nobody's are. */
  readonly credentialsFor?: (uri: SipUri) => Credentials | undefined
  readonly transfer: TransferPolicy
  readonly srtp: SrtpPolicy
  readonly tones: ToneRules
  /** Loads an announcement that a rule of `tones` names; undefined: it cannot be played. Absent: none can. */
  readonly announcement?: (name: string) => Promise<Prompt | undefined>
  readonly limits: QuotaRules & {
    /** A party from whom media is due and who sends none for so long is taken for gone; see the engine's silence report. */
    readonly silenceMs: number
  }
  /** Asked for in calls to callees; absent: none is (RFC 4028). */
  readonly sessionTimer?: SessionTimerWish | undefined
  readonly info?: InfoHook
  /** Answers an INVITE that asks for a recording session; absent: 403. */
  readonly recordingSession?: (invite: ServerInvite) => void
  readonly flows: FlowStarter
}

/** What happens to the list of calls. */
export type CallServiceEvent =
  | { readonly type: 'call-started'; readonly call: Call }
  | { readonly type: 'call-ended'; readonly call: Call }

/** Counters that must return to zero when nobody talks. */
export interface CallCensus {
  readonly calls: number
  readonly active: number
}

/** Calls in and out of the gateway. */
export interface CallService {
  /** To be given to the SIP core. */
  readonly handlers: SipCoreHandlers
  /** Gives the service its SIP core; once, before the first INVITE. */
  attach(core: SipCore): void
  /** Calls that are not ended. */
  calls(): readonly Call[]
  call(callId: string): Call | undefined
  /** `call-started` comes before the caller's ports are bound: listeners can be added to the call in time for all its events. */
  onCall(listener: (event: CallServiceEvent) => void): () => void
  census(): CallCensus
  /** Refuses new calls from now on; resolves when the last call is over and its media released. */
  drain(): Promise<void>
}

/** Who requires `siprec` wants no call, by whatever feature tag (RFC 7866 section 6.1.1). */
function isRecordingSession({ headers }: SipRequest): boolean {
  return headers.list('require').some((tag) => tag.toLowerCase() === 'siprec')
}

const RETRY_AFTER_SECONDS = 5

/** What a call that is let in begins with. */
interface Admission {
  readonly hops: number
  readonly route: Route
  readonly owner: CallOwner
}

/** Makes the call service; `attach` it to a core made with its `handlers`. */
export function createCallService(options: CallServiceOptions): CallService {
  const { log } = options
  const identities = new Identities(options.trustedIdentities, options.domain)
  const quotas = new CallQuotas(options.limits)
  const active = new ActiveCalls()
  const listeners = new Listeners<CallServiceEvent>((fault) =>
    log.error('call listener failed', { error: messageOf(fault) }),
  )
  let core: SipCore | undefined
  let isDraining = false
  let resolveDrained: () => void = () => {}
  const whenDrained = new Promise<void>((resolve) => {
    resolveDrained = resolve
  })

  const admit = (invite: ServerInvite): Refusal | Admission => {
    const { request } = invite
    if (isRecordingSession(request)) return { status: 403, reason: 'Recording Sessions Not Taken' }
    const hops = hopsLeft(request, options.ownAddresses())
    if (!hops.ok) return hops.error
    const uri = parseSipUri(request.uri)
    if (!uri.ok) return { status: uri.error.code === 'unsupported-scheme' ? 416 : 400 }
    const route = options.router.route(uri.value)
    if (route === undefined) return { status: 404 }
    if (isDraining) return unavailable('Service Unavailable', 'Shutting down')
    const owner = quotas.ownerOf(invite)
    const excess = quotas.excess(owner, active.owners)
    if (excess !== undefined) {
      log.warn('quota of calls reached', { ...owner, reason: excess.reason, limit: excess.limit })
      return overQuota(excess)
    }
    return { hops: hops.value, route, owner }
  }

  const onReleased = (call: Call): void => {
    active.remove(call)
    if (isDraining && active.size === 0) resolveDrained()
  }

  const consultation = (dialog: Replaces): Consultation | undefined => {
    for (const call of active.active) {
      const found = call.consultation(dialog)
      if (found !== undefined) return found
    }
    return undefined
  }

  const replace = (invite: ServerInvite, dialog: InviteDialog): void => {
    for (const call of active.active) {
      const leg = call.legOf(dialog)
      if (leg !== undefined) return void call.takeSeat(leg, invite)
    }
    refuse(invite, { status: 481 })
  }

  const onInvite = (invite: ServerInvite): void => {
    if (options.recordingSession !== undefined && isRecordingSession(invite.request)) {
      options.recordingSession(invite)
      return
    }
    if (invite.replaced !== undefined) {
      if (invite.replaced.kind === 'confirmed') replace(invite, invite.replaced.dialog)
      else refuse(invite, { status: 481 })
      return
    }
    const admission = admit(invite)
    if ('status' in admission) {
      log.info('call refused', { status: admission.status, uri: redactUri(invite.request.uri) })
      refuse(invite, admission)
      return
    }
    const call = new Call(
      {
        core: () => {
          invariant(core !== undefined, 'the call service is attached to a SIP core')
          return core
        },
        engine: options.engine,
        clock: options.clock,
        ids: options.ids,
        log,
        domain: options.domain,
        identities,
        destinations: options.destinations,
        credentialsFor: options.credentialsFor ?? (() => undefined),
        transfer: options.transfer,
        srtp: options.srtp,
        tones: options.tones,
        announcement: options.announcement ?? (() => Promise.resolve(undefined)),
        silenceLimitMs: options.limits.silenceMs,
        sessionTimer: options.sessionTimer,
        info: options.info,
        flows: options.flows,
        consultation,
        onReleased,
      },
      invite,
      admission.hops,
    )
    active.add(call, admission.owner)
    call.onEvent((event) => event.type === 'ended' && listeners.emit({ type: 'call-ended', call }))
    log.info('call started', { callId: call.callId, uri: redactUri(invite.request.uri) })
    listeners.emit({ type: 'call-started', call })
    void call.begin(admission.route)
  }

  return {
    handlers: { onInvite },
    attach: (attached) => {
      core = attached
    },
    calls: () => active.active,
    call: (callId) => active.get(callId),
    onCall: (listener) => listeners.add(listener),
    census: () => ({ calls: active.size, active: active.active.length }),
    drain: async () => {
      isDraining = true
      if (active.size === 0) resolveDrained()
      await whenDrained
    },
  }
}

function unavailable(reason: string, detail: string, more: HeaderList = []): Refusal {
  return {
    status: 503,
    reason,
    headers: [['Retry-After', `${RETRY_AFTER_SECONDS}`], ['X-Reason', detail], ...more],
  }
}

function overQuota({ reason, limit, account }: QuotaExcess): Refusal {
  if (account === undefined) return unavailable(reason, reason)
  return unavailable(reason, reason, [
    ['X-Account-Sid', account],
    ['X-Call-Limit', `${limit}`],
  ])
}
