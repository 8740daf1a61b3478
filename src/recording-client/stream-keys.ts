// SRTP keys of one stream towards one recorder: fresh for the stream, kept over re-offers, never another's (RFC 4568, SEC-09…11).

import type { SrtpKeys, SrtpSuite } from '#engine'
import { type Endpoint, err, type Ids, ok, type Result, sameEndpoint } from '#kernel'
import {
  answeredCrypto,
  type CryptoPair,
  cryptoAttribute,
  cryptosOf,
  isSecureProtocol,
  offeredCryptos,
  pairOfAnswer,
  type SdpAttribute,
  type SdpCrypto,
  type SdpMedia,
} from '#sdp'

/** What an exchange came to: the keys for the engine, none for plain RTP, or why the stream cannot be used. */
export type AgreedKeys = Result<SrtpKeys | undefined, string>

/** Keys of one m-line. */
export class StreamKeys {
  readonly #suites: readonly SrtpSuite[]
  readonly #ids: Ids
  #offered: readonly SdpCrypto[]
  #pair: CryptoPair | undefined
  #recorder: Endpoint | undefined

  /** Without suites the stream is plain RTP. */
  constructor(suites: readonly SrtpSuite[], ids: Ids) {
    this.#suites = suites
    this.#ids = ids
    this.#offered = offeredCryptos(undefined, suites, ids)
  }

  /** Suite in use; undefined for plain RTP, and before an answer. */
  get suite(): SrtpSuite | undefined {
    return this.#pair?.ours.suite
  }

  /** Transport protocol of our offers. */
  get protocol(): string {
    return this.#isSecured ? 'RTP/SAVP' : 'RTP/AVP'
  }

  /** Crypto lines of our offers and answers. */
  get attributes(): SdpAttribute[] {
    return this.#offered.map(cryptoAttribute)
  }

  /** Reads the recorder's answer to our lines; `recorder` is where it wants media. */
  takeAnswer(media: SdpMedia, recorder: Endpoint | undefined): AgreedKeys {
    const problem = this.#problemOf(media)
    if (problem !== undefined) return err(problem)
    if (!this.#isSecured) return ok(undefined)
    const pair = pairOfAnswer(this.#offered, media)
    return pair.ok ? ok(this.#agree(pair.value, recorder)) : pair
  }

  /** Reads an offer of the recorder; what `attributes` gives then is for our answer. */
  takeOffer(media: SdpMedia, recorder: Endpoint | undefined): AgreedKeys {
    const problem = this.#problemOf(media)
    if (problem !== undefined) return err(problem)
    if (!this.#isSecured) return ok(undefined)
    const isMoved = recorder !== undefined && this.#recorder !== undefined && !sameEndpoint(recorder, this.#recorder)
    const pair = answeredCrypto(cryptosOf(media), this.#suites, this.#ids, { pair: this.#pair, isMoved })
    return pair === undefined ? err('no crypto line that we can answer') : ok(this.#agree(pair, recorder))
  }

  get #isSecured(): boolean {
    return this.#suites.length > 0
  }

  #problemOf(media: SdpMedia): string | undefined {
    if (isSecureProtocol(media.protocol) === this.#isSecured) return undefined
    return this.#isSecured ? 'plain RTP in place of SRTP' : 'SRTP in place of plain RTP'
  }

  #agree(pair: CryptoPair, recorder: Endpoint | undefined): SrtpKeys {
    this.#pair = pair
    this.#offered = [pair.ours]
    this.#recorder = recorder ?? this.#recorder
    return { send: pair.ours, receive: pair.theirs }
  }
}
