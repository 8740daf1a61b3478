// What a party wants to send and receive, over offers and answers (RFC 3264 sections 6.1 and 8.4).

import { type Direction, holdOf, receives, type SdpMedia, type SessionDescription, sends } from '#sdp'

/** The direction of someone who does or does not send and receive. */
export function directionFrom(send: boolean, receive: boolean): Direction {
  if (send) return receive ? 'sendrecv' : 'sendonly'
  return receive ? 'recvonly' : 'inactive'
}

/** What both allow, seen from the same side. */
export function intersectDirections(a: Direction, b: Direction): Direction {
  return directionFrom(sends(a) && sends(b), receives(a) && receives(b))
}

/** What a description says its party does; the null address counts as not receiving. */
export function partyDirection(media: SdpMedia, session: SessionDescription, written: Direction): Direction {
  return directionFrom(sends(written), receives(written) && holdOf(media, session) === 'none')
}

/**
 * What a party wants, after it answered our offer. An answer tells only about what the offer left open: the answer to a hold
 * is not itself a hold.
 */
export function wishAfterAnswer(wish: Direction, offered: Direction, answered: Direction): Direction {
  return directionFrom(
    receives(offered) ? sends(answered) : sends(wish),
    sends(offered) ? receives(answered) : receives(wish),
  )
}
