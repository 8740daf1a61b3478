// What is needed to send a request within a dialog.

import type { DigestClient } from './auth/digest-client.ts'
import type { CoreParts } from './core-parts.ts'
import type { DialogState } from './dialog/dialog-state.ts'
import type { ContactShape, RequestPlan } from './message-builder.ts'
import type { NextHop } from './next-hop.ts'
import { sendPlain } from './plain-request.ts'
import type { DialogSnapshot, MessageOptions, RequestOutcome } from './session.ts'
import type { SessionTimer } from './session-timer/session-timer.ts'
import type { TimerTerms } from './session-timer/timer-terms.ts'
import type { SipFlow, SipTarget } from './transport-port.ts'

/** One dialog with the means to send on it. */
export interface DialogContext {
  readonly parts: CoreParts
  readonly state: DialogState
  readonly hop: NextHop
  readonly contact: ContactShape
  /** Answers challenges, when the user gave credentials. */
  readonly digest: DigestClient | undefined
  /** Absent when session timers are not supported. */
  readonly terms: TimerTerms | undefined
  /** Where the INVITE of ours was answered that made the dialog. */
  readonly invited?: SipTarget
  /** Set once the dialog is confirmed. */
  timer?: SessionTimer
}

/** What of a dialog survives its process; undefined while nothing came from the peer. */
export function snapshotOf(
  { state, hop, parts, invited }: DialogContext,
  timer = undefined as SessionTimer['kept'],
): DialogSnapshot | undefined {
  const way = hop.flow ?? (invited && wayTo(invited, parts))
  if (way === undefined) return undefined
  const { transport, local, remote } = way
  const kept = timer && {
    seconds: timer.seconds,
    isOurs: timer.isOurs,
    expiresAtMs: parts.clock.wallMs() + timer.expiresInMs,
  }
  return { ...state.kept(), transport, local, remote, ...(kept && { timer: kept }) }
}

function wayTo({ transport, host, port }: SipTarget, { options }: CoreParts): Omit<SipFlow, 'connectionId'> {
  return { transport, local: options.transport.localAddress(transport), remote: { host, port } }
}

/** The plan of a request within the dialog, and the URI to resolve for it (RFC 3261 section 12.2.1.1). */
export function planWithin(
  context: DialogContext,
  method: string,
  cseqNumber: number,
  options: MessageOptions,
): { plan: RequestPlan; hop: string } {
  const { state, contact, digest, timer } = context
  const { uri, routes, hop } = state.route()
  const from = state.local.address
  const to = state.remote.address
  const amendments = [digest, timer].flatMap((amending) => amending?.amendment() ?? [])
  const retrying = { amendments, nextCSeq: () => state.nextCSeq() }
  return {
    plan: {
      method,
      uri,
      routes,
      from,
      to,
      callId: state.callId,
      cseqNumber,
      contact,
      sessionIds: state.sessionIds,
      options,
      retrying,
    },
    hop,
  }
}

/** Sends a request other than INVITE and ACK. */
export function sendWithin(
  context: DialogContext,
  method: string,
  options: MessageOptions,
  done: (outcome: RequestOutcome) => void,
): void {
  const { plan, hop } = planWithin(context, method, context.state.nextCSeq(), options)
  context.hop.resolve(hop, (located) =>
    sendPlain(context.parts, plan, located, (outcome) => {
      if (outcome.response !== undefined) context.state.sessionIds.hear(outcome.response.headers)
      done(outcome)
    }),
  )
}
