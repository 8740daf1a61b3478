// Payload types of a stream: what a number means on its way in, and which number an encoding has on its way out.

/** One negotiated codec; `encoding` is `NAME/clock` in upper case, e.g. `PCMU/8000`, `TELEPHONE-EVENT/8000`. */
export interface StreamCodec {
  readonly encoding: string
  readonly receivePayloadType: number
  readonly sendPayloadType: number
}

/** What a packet's payload is. */
export interface Payload {
  readonly encoding: string
  readonly clockRateHz: number
  /** RFC 4733 named events: their timestamp is the start of the event. */
  readonly isEvent: boolean
  /** The clock of all video (RFC 3551 section 5): the marker ends a picture. */
  readonly isVideo: boolean
  /** Number that it came under. */
  readonly payloadType?: number
}

/** The two encodings that prompts are kept in. */
export type G711Encoding = 'PCMU/8000' | 'PCMA/8000'

const DEFAULT_CLOCK_RATE_HZ = 8000
const VIDEO_CLOCK_RATE_HZ = 90_000

/** Describes an encoding text; a clock that is missing or no number counts as 8000. */
export function payloadOf(encoding: string): Payload {
  const clockRateHz = Number.parseInt(encoding.split('/')[1] ?? '', 10)
  return {
    encoding,
    clockRateHz: clockRateHz > 0 ? clockRateHz : DEFAULT_CLOCK_RATE_HZ,
    isVideo: clockRateHz === VIDEO_CLOCK_RATE_HZ,
    isEvent: encoding.startsWith('TELEPHONE-EVENT/'),
  }
}

/** The codecs of one leg or fork, indexed for use on every packet. */
export class CodecTable {
  static readonly empty = new CodecTable([])

  /** The G.711 encoding that prompts are sent in: the first one negotiated. */
  readonly g711: G711Encoding | undefined
  readonly #received: (Payload | undefined)[] = new Array(128).fill(undefined)
  readonly #sent = new Map<string, number[]>()
  /** The answer given last: a stream seldom changes its payload. */
  #lastPayload: Payload | undefined
  #lastSent: number | undefined

  constructor(codecs: readonly StreamCodec[]) {
    for (const codec of codecs) {
      const payloadType = codec.receivePayloadType & 0x7f
      this.#received[payloadType] ??= { ...payloadOf(codec.encoding), payloadType }
      const numbers = this.#sent.get(codec.encoding) ?? []
      this.#sent.set(codec.encoding, [...numbers, codec.sendPayloadType & 0x7f])
      if (codec.encoding === 'PCMU/8000' || codec.encoding === 'PCMA/8000') this.g711 ??= codec.encoding
    }
  }

  /** What a received payload type stands for. */
  received(payloadType: number): Payload | undefined {
    return this.#received[payloadType]
  }

  /** The payload type to send a payload under: that which it came under, if the peer has one encoding under several; undefined when the peer did not accept it. */
  sent(payload: Payload): number | undefined {
    if (payload !== this.#lastPayload) {
      this.#lastPayload = payload
      const numbers = this.#sent.get(payload.encoding)
      this.#lastSent = numbers?.find((number) => number === payload.payloadType) ?? numbers?.[0]
    }
    return this.#lastSent
  }
}
