// SRTP and SRTCP of one RTP session as keys come and change; without keys everything passes as it is (RFC 3711).

import { SrtpReceiver, SrtpSender } from './srtp-context.ts'
import type { SrtpKey, SrtpKeys } from './suite.ts'

/** A direction of the channel: the key it was made with, and what follows from it. */
interface Secured<Side> {
  readonly key: SrtpKey
  readonly side: Side
}

/** Keys and packet indices of one RTP session. */
export class SecureChannel {
  #sender: Secured<SrtpSender> | undefined
  #receiver: Secured<SrtpReceiver> | undefined

  get isSecured(): boolean {
    return this.#sender !== undefined
  }

  /** Takes the keys of an exchange: a key that stays keeps its rollover counter, another begins anew (RFC 4568 section 7.1.4). */
  rekey(keys: SrtpKeys | undefined): void {
    this.#sender = renewed(this.#sender, keys?.send, (key) => new SrtpSender(key))
    this.#receiver = renewed(this.#receiver, keys?.receive, (key) => new SrtpReceiver(key))
  }

  /** Seals `bytes[0, size)`, behind which there is room; the size then, or -1 when it may not leave. */
  sealRtp(bytes: Uint8Array, size: number): number {
    return this.#sender?.side.sealRtp(bytes, size) ?? size
  }

  /** The packet to be sent for an RTCP compound, if it may leave. */
  sealRtcp(compound: Uint8Array): Uint8Array | undefined {
    return this.#sender === undefined ? compound : this.#sender.side.sealRtcp(compound)
  }

  /** What an RTP datagram says; undefined when it is not to be trusted. */
  openRtp(datagram: Uint8Array): Uint8Array | undefined {
    return this.#receiver === undefined ? datagram : this.#receiver.side.openRtp(datagram)
  }

  /** What an RTCP datagram says; undefined when it is not to be trusted. */
  openRtcp(datagram: Uint8Array): Uint8Array | undefined {
    return this.#receiver === undefined ? datagram : this.#receiver.side.openRtcp(datagram)
  }
}

function renewed<Side>(
  before: Secured<Side> | undefined,
  key: SrtpKey | undefined,
  create: (key: SrtpKey) => Side,
): Secured<Side> | undefined {
  if (key === undefined) return undefined
  return before !== undefined && isSameKey(before.key, key) ? before : { key, side: create(key) }
}

function isSameKey(one: SrtpKey, other: SrtpKey): boolean {
  return (
    one.suite === other.suite &&
    one.material.length === other.material.length &&
    one.material.every((byte, index) => byte === other.material[index])
  )
}
