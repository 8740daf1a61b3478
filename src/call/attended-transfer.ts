// Attended transfer between two calls through us (RFC 5589 section 7): the party that was consulted moves into the call that goes on.

import type { MediaCall } from '#engine'
import { type Logger, messageOf } from '#kernel'
import type { DialogHandlers, Replaces } from '#sip'
import type { Conversation } from './conversation.ts'
import type { Leg } from './leg.ts'
import type { Joining } from './parties.ts'
import { isReplaced, isSameAuthority } from './replaces.ts'

/** A call through us that a referrer made to consult its target. */
export interface Consultation {
  /** The referrer's own leg there. */
  readonly leg: Leg
  /** The other side, when it is one party that talks. */
  readonly target: Leg | undefined
  /** What is known of the target. */
  readonly joining: Joining
  /** The target has moved: what is left of that call ends, as one of the same group. */
  end(groupId: Uint8Array): void
}

/** A call as consultation, if the dialog is one of its; `end` ends what is left of it when the target has moved. */
export function consultationOf(
  conversation: Conversation,
  dialog: Replaces,
  end: (groupId: Uint8Array) => void,
): Consultation | undefined {
  const leg = conversation.bridge.talking.find((one) => isReplaced(one.dialog, dialog))
  if (leg === undefined) return undefined
  const target = conversation.bridge.farOf(leg)
  const party = target === undefined ? undefined : conversation.partyOn(target)
  return {
    leg,
    target: target?.lifecycle.state === 'confirmed' ? target : undefined,
    joining: {
      aors: party?.aors ?? [],
      ...(party?.displayName !== undefined && { displayName: party.displayName }),
      ...(party?.isPrivate === true && { isPrivate: true }),
      sipCallId: party?.sipCallId ?? '',
    },
    end: (groupId) => {
      if (target !== undefined) conversation.release(target)
      end(groupId)
    },
  }
}

/** What a consultation moves into. */
export interface ReceivingCall {
  readonly conversation: Conversation
  readonly media: MediaCall
  readonly log: Logger
  readonly ended: boolean
  readonly represented: (leg: Leg) => string | undefined
  readonly groupId: Uint8Array
  nextLegName(): string
  handlersOf(leg: Leg): DialogHandlers
  /** A party takes the seat of another. False when it could not be joined. */
  replace(old: Leg, by: Leg, joining: Joining): Promise<boolean>
}

/** Has the target of a consultation take the referrer's seat, by a re-INVITE to it; resolves with the status to report. */
export async function takeOver(call: ReceivingCall, referrer: Leg, consultation: Consultation): Promise<number> {
  const { conversation, media, log } = call
  const { target } = consultation
  const [other, ...more] = conversation.others(referrer)
  if (!isSameAuthority(referrer, consultation.leg)) return 403
  if (target === undefined || other === undefined || more.length > 0) return 603
  const name = call.nextLegName()
  const local = await media.addLeg(name).catch((thrown: unknown) => {
    log.warn('no media for a transfer target', { error: messageOf(thrown) })
    return undefined
  })
  if (local === undefined) return 503
  const moveBack = target.moveTo({ media, name, local, meets: [other], represented: call.represented })
  const outcome = await target.reoffer(other.sdp.encodings, conversation.bridge.firstDirectionFor(target, other))
  if (outcome !== 'agreed') {
    moveBack()
    // The target may have agreed to ports that went with this call.
    if (call.ended && target.isStable) await target.reoffer(target.sdp.encodings, target.sdp.direction)
    await conversation.succeeds(media.removeLeg(name), 'leg could not be removed')
    return target.ended ? 487 : 488
  }
  const { joining } = consultation
  consultation.end(call.groupId)
  if (target.dialog !== undefined) target.dialog.handlers = call.handlersOf(target)
  if (!call.ended && (await call.replace(referrer, target, joining))) return 200
  await conversation.discard(target)
  return 500
}
