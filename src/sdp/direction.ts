// Direction attributes and hold (RFC 3264 sections 5.1, 6.1 and 8.4).

import { attributeOf, hasNullAddress, type SdpMedia, type SessionDescription } from './session-description.ts'

/** Direction as seen by the party that wrote the description. */
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'

const DIRECTIONS: readonly Direction[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive']

/** Direction of a media description, else that of the session, else `sendrecv`. */
export function directionOf(media: SdpMedia, session: SessionDescription): Direction {
  const named = (attributes: SdpMedia['attributes']): Direction | undefined =>
    DIRECTIONS.find((direction) => attributeOf(attributes, direction) !== undefined)
  return named(media.attributes) ?? named(session.attributes) ?? 'sendrecv'
}

/** The same stream as seen from the other side. */
export function reverseDirection(direction: Direction): Direction {
  if (direction === 'sendonly') return 'recvonly'
  return direction === 'recvonly' ? 'sendonly' : direction
}

/** Direction of an answer: as much of `wanted` as the offer leaves room for (RFC 3264 section 6.1). */
export function answerDirection(offered: Direction, wanted: Direction): Direction {
  return directionFrom(sends(wanted) && receives(offered), receives(wanted) && sends(offered))
}

/**
 * How the describing party holds us: it takes no media from us though it could, by direction or by the null address.
 * For an answer give the direction that we offered: taking nothing of a stream on which we send nothing is no hold.
 */
export function holdOf(
  media: SdpMedia,
  session: SessionDescription,
  offered: Direction = 'sendrecv',
): 'none' | 'sendonly' | 'inactive' {
  const direction = directionOf(media, session)
  const takesMedia = receives(direction) && !hasNullAddress(media, session)
  if (media.port === 0 || takesMedia || !sends(offered)) return 'none'
  return sends(direction) ? 'sendonly' : 'inactive'
}

/** Whether the describing party holds us, see `holdOf`; `recvonly`, the answer to a hold, is not a hold. */
export function isHeld(media: SdpMedia, session: SessionDescription, offered?: Direction): boolean {
  return holdOf(media, session, offered) !== 'none'
}

/** Whether the party that wrote this direction sends media. */
export function sends(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'sendonly'
}

/** Whether the party that wrote this direction takes media. */
export function receives(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'recvonly'
}

function directionFrom(send: boolean, receive: boolean): Direction {
  if (send) return receive ? 'sendrecv' : 'sendonly'
  return receive ? 'recvonly' : 'inactive'
}
