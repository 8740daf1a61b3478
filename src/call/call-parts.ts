// What a call works with, put together: its conversation, those who call for it, seat, join and transfer its parties.

import type { MediaCall } from '#engine'
import type { Logger } from '#kernel'
import type { DialogHandlers, ServerInvite } from '#sip'
import type { ReceivingCall } from './attended-transfer.ts'
import type { CallContext } from './call-context.ts'
import type { CallFacts } from './call-facts.ts'
import { CalleeDial, type DiallingCall } from './callee-dial.ts'
import { Conversation } from './conversation.ts'
import { Dialler } from './dialler.ts'
import type { Leg } from './leg.ts'
import type { Joining } from './parties.ts'
import type { CallEvent } from './recordable-call.ts'
import type { ReplacedCall } from './replacement.ts'
import { ThirdParties } from './third-party.ts'
import { Transfers } from './transfer.ts'

/** What a call begins with. */
export interface CallSeed {
  readonly context: CallContext
  readonly callId: string
  readonly invite: ServerInvite
  /** Max-Forwards of what we send on. */
  readonly hopsLeft: number
  readonly media: MediaCall
  readonly log: Logger
  readonly facts: CallFacts
}

/** What the parts ask of their call. */
export interface CallHooks extends Pick<DiallingCall, 'progress' | 'answer' | 'fail' | 'onFault'> {
  onEvent(event: CallEvent): void
  handlersOf(leg: Leg): DialogHandlers
  /** What a callee may be offered. */
  carries(): readonly string[]
  /** A party takes the seat of another. False when it could not be joined. */
  replace(old: Leg, by: Leg, joining: Joining): Promise<boolean>
  /** The party that was to be transferred has nobody to talk to. */
  abandon(status: number): void
}

/** The parts of a call. */
export interface CallParts {
  readonly conversation: Conversation
  readonly dialler: Dialler
  readonly dial: CalleeDial
  /** For who takes the seat of a party. */
  readonly seating: ReplacedCall & ReceivingCall
  readonly thirdParties: ThirdParties
  readonly transfers: Transfers
}

/** Makes the parts of a call. */
export function callParts(seed: CallSeed, hooks: CallHooks): CallParts {
  const { context, callId, invite, hopsLeft, media, log, facts } = seed
  const { clock, ids, domain, tones, announcement, identities } = context
  const conversation = new Conversation({
    media,
    log,
    clock,
    ids,
    invite: invite.request,
    uuid: callId.replaceAll('-', ''),
    caller: identities.callerOf(invite),
    domain,
    tones,
    announcement,
    onEvent: hooks.onEvent,
    onFault: hooks.onFault,
  })
  const dialler = new Dialler({
    media,
    log,
    context,
    callId,
    invite,
    hopsLeft,
    handlersOf: hooks.handlersOf,
    isCallerSecured: () => conversation.near?.sdp.suite !== undefined,
    represented: (leg) => conversation.representedTo(leg),
  })
  let legs = 0
  const call = {
    ...hooks,
    conversation,
    dialler,
    media,
    log,
    clock,
    domain,
    policy: context.transfer,
    consultation: context.consultation,
    represented: dialler.represented,
    nextLegName: () => `callee-${++legs}`,
    refused: facts.refused.bind(facts),
    get ended() {
      return facts.state === 'ended'
    },
    get carries() {
      return hooks.carries()
    },
    get groupId() {
      return facts.session.groupId
    },
  }
  return {
    conversation,
    dialler,
    seating: call,
    dial: new CalleeDial(call),
    thirdParties: new ThirdParties(call),
    transfers: new Transfers(call),
  }
}
