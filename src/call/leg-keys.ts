// How a leg is secured by SDES (RFC 4568): which streams of a party can be used, and the keys that are answered and offered.

import type { MediaRemote } from '#engine'
import { type Ids, sameEndpoint } from '#kernel'
import type { SrtpSuite } from '#rtp'
import {
  answeredCrypto,
  type CryptoPair,
  cryptosOf,
  isSecureProtocol,
  offeredCryptos,
  type SdpCrypto,
  type SdpMedia,
} from '#sdp'
import type { Exchange } from './leg-exchange.ts'

/** How a leg may be secured. */
export interface LegSecurity {
  /** Suites that we answer and offer, best first; empty: plain RTP only. */
  readonly suites: readonly SrtpSuite[]
  /** Our first offer is SRTP. */
  readonly isOffered: boolean
}

const PLAIN_PROTOCOLS = ['RTP/AVP', 'RTP/AVPF']

/** The keys of one leg. */
export class LegKeys {
  /** Until told, plain RTP only. */
  security: LegSecurity = { suites: [], isOffered: false }
  readonly #ids: Ids

  constructor(ids: Ids) {
    this.#ids = ids
  }

  /** Whether a stream can be used: a secured one without a key that we could answer is as good as none. */
  isUsable(media: SdpMedia): boolean {
    if (media.kind !== 'audio' || media.port === 0) return false
    if (!isSecureProtocol(media.protocol)) return PLAIN_PROTOCOLS.includes(media.protocol.toUpperCase())
    return cryptosOf(media).some(({ suite }) => this.security.suites.includes(suite))
  }

  /** Keys for the answer to an offer; `settled` is the exchange before it. */
  answered(media: SdpMedia, remote: MediaRemote | undefined, settled: Exchange): CryptoPair | undefined {
    if (!isSecureProtocol(media.protocol)) return undefined
    const { keys: pair, party } = settled
    const isMoved = remote !== undefined && party.remote !== undefined && !sameEndpoint(remote.rtp, party.remote.rtp)
    return answeredCrypto(cryptosOf(media), this.security.suites, this.#ids, { pair, isMoved })
  }

  /** Keys that are offered: what was agreed last goes on, unless our ports are others; the first offer is as the policy has it. */
  offered({ keys, party }: Exchange, hasMoved: boolean): SdpCrypto[] {
    const isSecured = party.codecs.length > 0 ? keys !== undefined : this.security.isOffered
    return isSecured ? offeredCryptos(hasMoved ? undefined : keys, this.security.suites, this.#ids) : []
  }
}
