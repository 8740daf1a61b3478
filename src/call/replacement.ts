// An INVITE with Replaces (RFC 3891): its sender takes the seat of a party of a call that goes on.

import { type Logger, messageOf } from '#kernel'
import type { DialogHandlers, ServerInvite } from '#sip'
import { CallerSide, type Refusal, refuse } from './caller-side.ts'
import { PLAYED } from './codecs.ts'
import type { Conversation } from './conversation.ts'
import type { Dialler } from './dialler.ts'
import type { Leg } from './leg.ts'
import type { Joining } from './parties.ts'
import { mayReplace } from './replaces.ts'

/** What a replacement asks of its call. */
export interface ReplacedCall {
  readonly conversation: Conversation
  readonly dialler: Dialler
  readonly log: Logger
  readonly ended: boolean
  nextLegName(): string
  handlersOf(leg: Leg): DialogHandlers
  /** A party takes the seat of another. False when it could not be joined. */
  replace(old: Leg, by: Leg, joining: Joining): Promise<boolean>
}

/** Answers the INVITE and seats its sender in the place of `old`, whose dialog ends by BYE. Never rejects. */
export async function takeSeat(call: ReplacedCall, old: Leg, invite: ServerInvite): Promise<void> {
  const { conversation, log } = call
  let leg: Leg | undefined
  let isGone = false
  invite.onCancel = () => {
    isGone = true
    if (leg?.ended === false) leg.lifecycle.enter('ended')
  }
  if (!mayReplace(invite, old)) {
    log.warn('replacement by a stranger refused', { leg: old.name })
    refuse(invite, { status: 403 })
    return
  }
  try {
    leg = await call.dialler.openFor(call.nextLegName(), invite)
    const refusal = isGone ? undefined : await answer(call, old, leg, invite)
    if (refusal !== undefined) refuse(invite, refusal)
    else if (leg.lifecycle.state === 'confirmed' && (await call.replace(old, leg, call.dialler.callerOf(invite)))) {
      await old.dialog?.bye()
      return
    }
    await conversation.discard(leg)
  } catch (thrown) {
    log.warn('no media for a replacement', { error: messageOf(thrown) })
    refuse(invite, { status: 503 })
  }
}

/** Negotiates with whom the new party is to talk to; the refusal if that fails. */
async function answer(call: ReplacedCall, old: Leg, leg: Leg, invite: ServerInvite): Promise<Refusal | undefined> {
  const { conversation } = call
  const [far, ...more] = conversation.others(old)
  if (far === undefined) return { status: 603 }
  leg.meets = [far, ...more]
  const side = new CallerSide(leg, invite, conversation.bridge)
  const refusal = side.takeOffer(more.length > 0)
  if (refusal !== undefined) return refusal
  const carried = more.length > 0 ? PLAYED : far.sdp.encodings
  if (!side.canCarry(carried)) return { status: 488, headers: conversation.bridge.nothingShared() }
  const isAccepted = await side.accept(carried, call.handlersOf(leg))
  if (!isAccepted) return leg.ended ? undefined : { status: 500 }
  if (!(await side.agreed()) && !leg.ended) await conversation.discard(leg)
  return undefined
}
