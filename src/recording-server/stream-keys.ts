// SRTP keys of one stream that a client sends: ours fresh, kept over re-offers, new for a client that moved (RFC 4568, SEC-09…11).

import { AppError, type Endpoint, type Ids, sameEndpoint } from '#kernel'
import type { SrtpKeys } from '#rtp'
import {
  answeredCrypto,
  type CryptoPair,
  type CryptoSuite,
  cryptoAttribute,
  isSecureProtocol,
  pairOfAnswer,
  readCrypto,
  type SdpAttribute,
  type SdpCrypto,
  type SdpMedia,
} from '#sdp'

/** Keys of one stream as they outlive the process: crypto lines, as SDP has them. */
export interface KeptKeys {
  readonly ours: string
  readonly theirs: string
  /** Where the client had its media. */
  readonly client?: Endpoint
}

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

  /** What `resume` takes; undefined while it is plain RTP. */
  kept(): KeptKeys | undefined {
    if (this.#pair === undefined) return undefined
    const [ours, theirs] = [this.#pair.ours, this.#pair.theirs].map((crypto) => cryptoAttribute(crypto).value ?? '')
    return { ours: ours!, theirs: theirs!, ...(this.#client && { client: this.#client }) }
  }

  /** What the worker is told of keys that another process had. Throws AppError `recorder.kept-keys` where they are none. */
  static settingsOf(kept: KeptKeys): { readonly srtp: SrtpKeys } {
    return srtpOf(pairOf(kept))
  }

  /** Goes on with the keys that another process had. Throws AppError `recorder.kept-keys` where they are none. */
  resume(kept: KeptKeys): void {
    this.#pair = pairOf(kept)
    this.#client = kept.client
  }

  /** The crypto line of our descriptions. */
  get attributes(): SdpAttribute[] {
    return this.#pair === undefined ? [] : [cryptoAttribute(this.#pair.ours)]
  }

  /** What the worker is told. */
  get settings(): { readonly srtp?: SrtpKeys } {
    return this.#pair === undefined ? {} : srtpOf(this.#pair)
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

function srtpOf({ ours, theirs }: CryptoPair): { readonly srtp: SrtpKeys } {
  return { srtp: { send: ours, receive: theirs } }
}

/** What is wrong is not said: it may be a key. */
function pairOf(kept: KeptKeys): CryptoPair {
  const [ours, theirs] = [kept.ours, kept.theirs].map((line) => readCrypto(String(line)))
  if (ours !== undefined && ours.suite === theirs?.suite) return { ours, theirs }
  throw new AppError('recorder.kept-keys', 'kept keys are not readable', { result: 'server', reason: 'bad-keys' })
}
