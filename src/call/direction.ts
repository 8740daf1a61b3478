// Arithmetic of SDP directions (RFC 3264 sections 5.1, 6.1 and 8.4).

import type { Direction } from '#sdp'

/** Whether whoever says `direction` sends. */
export function sends(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'sendonly'
}

/** Whether whoever says `direction` receives. */
export function receives(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'recvonly'
}

/** The direction of someone who does or does not send and receive. */
export function directionFrom(send: boolean, receive: boolean): Direction {
  if (send) return receive ? 'sendrecv' : 'sendonly'
  return receive ? 'recvonly' : 'inactive'
}

/** What both allow, seen from the same side. */
export function intersectDirections(a: Direction, b: Direction): Direction {
  return directionFrom(sends(a) && sends(b), receives(a) && receives(b))
}

/**
 * What a party wants, after it answered our offer. An answer tells only about what the offer left open: the answer to a hold
 * is not itself a hold (RFC 3264 section 8.4).
 */
export function wishAfterAnswer(wish: Direction, offered: Direction, answered: Direction): Direction {
  return directionFrom(
    receives(offered) ? sends(answered) : sends(wish),
    sends(offered) ? receives(answered) : receives(wish),
  )
}
