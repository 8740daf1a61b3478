// SRTP keys of one stream that a client sends: ours fresh, kept over re-offers, new for a client that moved (RFC 4568, SEC-09…11).

import { type Endpoint, type Ids, sameEndpoint } from '#kernel'
import type { SrtpKeys } from '#rtp'
import {
  answeredCrypto,
  type CryptoPair,
  type CryptoSuite,
  cryptoAttribute,
  isSecureProtocol,
  pairOfAnswer,
  type SdpAttribute,
  type SdpCrypto,
  type SdpMedia,
} from '#sdp'

/** Keys of one stream; none while it is plain RTP. */
export class StreamKeys {
  readonly #suites: readonly CryptoSuite[]
  readonly #ids: Ids
  #pair: CryptoPair | undefined
  #client: Endpoint | undefined

  /** `suites` are those for which keys may be exchanged. */
  constructor(suites: readonly CryptoSuite[], ids: Ids) {
    this.#suites = suites
    this.#ids = ids
  }

  /** The crypto line of our descriptions. */
  get attributes(): SdpAttribute[] {
    return this.#pair === undefined ? [] : [cryptoAttribute(this.#pair.ours)]
  }

  /** What the worker is told. */
  get settings(): { readonly srtp?: SrtpKeys } {
    return this.#pair === undefined ? {} : { srtp: { send: this.#pair.ours, receive: this.#pair.theirs } }
  }

  /** Takes the client's lines, undefined for plain RTP; `client` is where it has its media. */
  takeOffer(cryptos: readonly SdpCrypto[] | undefined, client: Endpoint | undefined): void {
    const isMoved = client !== undefined && this.#client !== undefined && !sameEndpoint(client, this.#client)
    const current = { pair: this.#pair, isMoved }
    this.#pair = cryptos && answeredCrypto(cryptos, this.#suites, this.#ids, current)
    this.#client = client ?? this.#client
  }

  /** Takes the client's answer to our line; what is wrong with it, if so, and then nothing changes. */
  takeAnswer(media: SdpMedia, client: Endpoint | undefined): string | undefined {
    if (isSecureProtocol(media.protocol) !== (this.#pair !== undefined)) return 'the answer has another transport'
    if (this.#pair !== undefined) {
      const pair = pairOfAnswer([this.#pair.ours], media)
      if (!pair.ok) return pair.error
      this.#pair = pair.value
    }
    this.#client = client ?? this.#client
    return undefined
  }
}
