// The SDP that a recording session offers: one m-line per stream, and codecs by the style of the recorder (RFC 7866 section 7.1).

import {
  type Direction,
  deliveryPaceAttribute,
  type LocalMedia,
  offeredPictureRequests,
  type SdpCodec,
  type SdpMedia,
} from '#sdp'
import type { MediaStyle } from './recorder-profile.ts'
import type { StreamSlot } from './session-forks.ts'

const staticPayloadTypes: Readonly<Record<string, number>> = {
  'PCMU/8000': 0,
  'PCMA/8000': 8,
  'G722/8000': 9,
  'G729/8000': 18,
}
/** The encoding of digits, which is no voice. */
export const telephoneEvent = 'TELEPHONE-EVENT/8000'
const firstDynamicPayloadType = 96
const telephoneEventPayloadType = 101
const g711 = ['PCMU/8000', 'PCMA/8000']

/** One stream as offered: its m-line, and the codecs it may be sent in. */
export interface OfferedStream extends StreamSlot {
  readonly codecs: readonly SdpCodec[]
  readonly direction: Direction
  /** RTCP is offered on the port of the RTP; absent: on the port after it. */
  readonly isMuxing?: boolean
  /** How many times faster than it was said a delivery is; absent: not at all. */
  readonly pace?: number
}

/** The payload types of our offers within one recording session: a number never changes its meaning (SRC-45). */
export class PayloadTypes {
  readonly #dynamic = new Map<string, number>([[telephoneEvent, telephoneEventPayloadType]])
  #next = firstDynamicPayloadType

  /** Codecs for the encodings of a call: only what we can really send (RFC 3264 section 5.1). */
  codecsFor(encodings: readonly string[]): SdpCodec[] {
    return encodings.map((encoding) => ({
      payloadType: staticPayloadTypes[encoding] ?? this.#dynamicFor(encoding),
      encoding,
      ...(encoding === telephoneEvent ? { fmtp: '0-15' } : {}),
    }))
  }

  #dynamicFor(encoding: string): number {
    const known = this.#dynamic.get(encoding)
    if (known !== undefined) return known
    if (this.#next === telephoneEventPayloadType) this.#next += 1
    this.#dynamic.set(encoding, this.#next)
    return this.#next++
  }
}

/**
 * The encodings in which a recorder of this style is offered a call's audio: a mix is made of G.711, and has no digits of its own; what can
 * be `converted` into G.711 is offered as that too, when the call speaks none. None: nothing of the call can be brought into what it takes.
 */
export function audioEncodings(
  spoken: readonly string[],
  { codecs, streams }: MediaStyle,
  converted: readonly string[],
): readonly string[] {
  const digits = spoken.filter((encoding) => encoding === telephoneEvent)
  const voice = spoken.filter((encoding) => encoding !== telephoneEvent)
  const first = voice.filter((encoding) => g711.includes(encoding))
  const isConverted = voice.some((encoding) => converted.includes(encoding))
  if (codecs === 'as-call' && streams === 'separate') {
    return first.length > 0 || !isConverted ? spoken : [...voice, ...g711, ...digits]
  }
  if (first.length === 0 && !isConverted) return []
  return [...new Set([...first, ...(isConverted ? g711 : []), ...(streams === 'separate' ? digits : [])])]
}

/** RTP and RTCP on one port (RFC 5761 section 5.1.1). */
const rtcpMux = { name: 'rtcp-mux' }

/** Whether a peer takes, or offers, both on one port. */
export const hasRtcpMux = ({ attributes }: Pick<SdpMedia, 'attributes'>): boolean =>
  attributes.some(({ name }) => name === rtcpMux.name)

/** The media slots of an offer, one m-line per stream. */
export function offeredMedia(streams: readonly OfferedStream[]): LocalMedia[] {
  return streams.map((stream) => ({
    kind: stream.kind,
    port: stream.isRemoved ? 0 : stream.local.rtpPort,
    rtcpPort: stream.local.rtcpPort,
    protocol: stream.keys.protocol,
    codecs: stream.codecs,
    direction: stream.direction,
    label: stream.label,
    extra: [
      ...stream.keys.attributes,
      ...(stream.isMuxing === true ? [rtcpMux] : []),
      ...((stream.pace ?? 1) > 1 ? [deliveryPaceAttribute(stream.pace ?? 1)] : []),
      ...(stream.kind === 'video' ? offeredPictureRequests : []),
    ],
  }))
}
