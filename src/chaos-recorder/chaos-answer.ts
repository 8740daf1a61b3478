// Session descriptions of the chaos recorder: good answers and every way of answering wrong.

import type { Ids } from '#kernel'
import {
  cryptoAttribute,
  cryptosOf,
  type Direction,
  directionOf,
  labelOf,
  type SdpMedia,
  type SessionDescription,
} from '#sdp'
import type { AnswerChange } from './chaos-script.ts'

/** Where and how the recorder describes itself. */
export interface AnswerPlace {
  readonly host: string
  /** RTP port of each m-line of the offer. */
  readonly ports: readonly number[]
  readonly version: number
  readonly ids: Ids
}

/** The answer to an offer, changed as told. */
export function answerText(offer: SessionDescription, place: AnswerPlace, change: AnswerChange): string {
  if (change.body === 'broken') return 'v=0\r\no=chaos\r\nm=audio broken\r\n'
  const labels = offer.media.map((media) => labelOf(media) ?? '')
  const answered = offer.media.map((media, index) => lineText(media, index, offer, labels, place, change))
  if (change.lines === 'fewer') answered.pop()
  if (change.lines === 'more') answered.push('m=audio 9 RTP/AVP 0\r\na=recvonly\r\na=label:99\r\n')
  if (change.lines === 'reversed') answered.reverse()
  const address = change.address ?? place.host
  const head = [
    'v=0',
    `o=chaos 1 ${place.version} IN ${addressType(place.host)} ${place.host}`,
    's=-',
    `c=IN ${addressType(address)} ${address}`,
    't=0 0',
  ]
  return `${head.join('\r\n')}\r\n${answered.join('')}`
}

function lineText(
  media: SdpMedia,
  index: number,
  offer: SessionDescription,
  labels: readonly string[],
  { ports, ids }: AnswerPlace,
  change: AnswerChange,
): string {
  const isRefused = media.port === 0 || (change.refuse ?? []).includes(index + 1)
  const port = isRefused ? 0 : (ports[index] ?? 0)
  const formats = change.codecs === 'other' ? ['96'] : media.formats
  const maps =
    change.codecs === 'other'
      ? ['a=rtpmap:96 SPEEX/16000']
      : media.attributes.flatMap(({ name, value }) =>
          name === 'rtpmap' || name === 'fmtp' ? [`a=${name}:${value ?? ''}`] : [],
        )
  const label = labelFor(labels, index, change)
  const lines = [
    `m=${media.kind} ${port} ${change.profile ?? media.protocol} ${formats.join(' ')}`,
    ...maps,
    ...keyLines(media, ids),
    `a=${change.direction ?? answeredDirection(directionOf(media, offer))}`,
    ...(label === undefined ? [] : [`a=label:${label}`]),
  ]
  return `${lines.join('\r\n')}\r\n`
}

function answeredDirection(offered: Direction): Direction {
  return offered === 'sendonly' || offered === 'sendrecv' ? 'recvonly' : 'inactive'
}

function labelFor(labels: readonly string[], index: number, { labels: change }: AnswerChange): string | undefined {
  if (change === 'none') return undefined
  if (change === 'wrong') return `wrong${index}`
  if (change === 'swapped') return labels[labels.length - 1 - index]
  return labels[index]
}

// Packets are counted, not decrypted: any key of the right length does.
function keyLines(media: SdpMedia, ids: Ids): string[] {
  const [offered] = cryptosOf(media)
  if (offered === undefined) return []
  const material = Uint8Array.from(offered.material, () => ids.integer(256))
  return [`a=crypto:${cryptoAttribute({ ...offered, material }).value ?? ''}`]
}

function addressType(address: string): string {
  return address.includes(':') ? 'IP6' : 'IP4'
}
