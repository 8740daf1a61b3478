// SRTP and SRTCP of one RTP session as keys come and change; without keys everything passes as it is (RFC 3711).

import { createHash } from 'node:crypto'
import { type Heard, SrtpReceiver, SrtpSender } from './srtp-context.ts'
import type { SrtpKey, SrtpKeys } from './suite.ts'

/** A direction of the channel: the key it was made with, and what follows from it. */
interface Secured<Side> {
  readonly key: SrtpKey
  readonly name: string
  readonly side: Side
}

/** Packet indices of one RTP session, for another process that has its keys; plain data, and no secret. */
export interface SrtpIndices {
  /** The last SRTCP index of ours; `key` tells of which key, and no more. */
  readonly sent: { readonly key: string; readonly rtcp: number }
  readonly heard: Heard & { readonly key: string }
}

/** What a channel goes on from. */
export interface ChannelBefore {
  /** As they were kept last; what is of other keys is not regarded. */
  readonly indices: SrtpIndices
  /** No SRTCP index up to this one is used, whatever was kept. */
  readonly rtcpIndex: number
  /** Rollovers that a source may have gone through since: more are not tried. */
  readonly rollovers: number
}

const NAME_BYTES = 8
/** SRTCP packets of ours that may have left after the indices were kept. */
const SENT_AHEAD = 8

/** Keys and packet indices of one RTP session. */
export class SecureChannel {
  #sender: Secured<SrtpSender> | undefined
  #receiver: Secured<SrtpReceiver> | undefined
  readonly #isPatient: boolean
  /** Of the key before, until a packet under the one in force shows that the peer has changed. */
  #former: Secured<SrtpReceiver> | undefined

  /** `isPatient`: packets under the key before are taken until the first under the one in force. */
  constructor({ isPatient = false } = {}) {
    this.#isPatient = isPatient
  }

  get isSecured(): boolean {
    return this.#sender !== undefined
  }

  /**
   * Takes the keys of an exchange: a key that stays keeps its rollover counter, another begins anew (RFC 4568 section 7.1.4). A peer that
   * offered another one sends under the old until it has our answer, and comes back to it where it never gets one.
   */
  rekey(keys: SrtpKeys | undefined): void {
    this.#sender = renewed(this.#sender, keys?.send, (key) => new SrtpSender(key))
    const [current, former] = [this.#receiver, this.#former]
    const known = [current, former].find(
      (one) => one !== undefined && keys !== undefined && isSameKey(one.key, keys.receive),
    )
    this.#receiver = known ?? renewed(current, keys?.receive, (key) => new SrtpReceiver(key))
    if (this.#isPatient && this.#receiver !== current) this.#former = keys && current
  }

  /** Goes on under keys that another process had: nothing that it took is taken again, nothing that it used is used again. */
  resume({ send, receive }: SrtpKeys, { indices, rtcpIndex, rollovers }: ChannelBefore): void {
    const { sent, heard } = indices
    this.#sender = secured(send, (key, name) => {
      const lastRtcp = sent.key === name ? sent.rtcp + SENT_AHEAD : 0
      return new SrtpSender(key, Math.max(lastRtcp, rtcpIndex))
    })
    this.#receiver = secured(receive, (key, name) => {
      return new SrtpReceiver(key, heard.key === name ? heard : undefined, rollovers)
    })
  }

  /** What `resume` takes; undefined without keys. `leastAhead`: packets that may come before it is asked for again. */
  indices(leastAhead: number): SrtpIndices | undefined {
    if (this.#sender === undefined || this.#receiver === undefined) return undefined
    return {
      sent: { key: this.#sender.name, rtcp: this.#sender.side.rtcpIndex },
      heard: { key: this.#receiver.name, ...this.#receiver.side.heard(leastAhead) },
    }
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
    if (this.#receiver === undefined) return datagram
    if (this.#former === undefined) return this.#receiver.side.openRtp(datagram)
    const untouched = Uint8Array.from(datagram)
    const opened = this.#receiver.side.openRtp(datagram)
    if (opened === undefined) return this.#former.side.openRtp(untouched)
    this.#former = undefined
    return opened
  }

  /** What an RTCP datagram says; undefined when it is not to be trusted. */
  openRtcp(datagram: Uint8Array): Uint8Array | undefined {
    if (this.#receiver === undefined) return datagram
    if (this.#former === undefined) return this.#receiver.side.openRtcp(datagram)
    const untouched = Uint8Array.from(datagram)
    return this.#receiver.side.openRtcp(datagram) ?? this.#former.side.openRtcp(untouched)
  }
}

function renewed<Side>(
  before: Secured<Side> | undefined,
  key: SrtpKey | undefined,
  create: (key: SrtpKey) => Side,
): Secured<Side> | undefined {
  if (key === undefined) return undefined
  return before !== undefined && isSameKey(before.key, key) ? before : secured(key, create)
}

function secured<Side>(key: SrtpKey, create: (key: SrtpKey, name: string) => Side): Secured<Side> {
  const name = nameOf(key)
  return { key, name, side: create(key, name) }
}

/** Tells keys apart without telling them: a part of the hash of what nobody can guess. */
function nameOf({ suite, material }: SrtpKey): string {
  const hash = createHash('sha256').update(suite).update(material).digest()
  return hash.subarray(0, NAME_BYTES).toString('hex')
}

function isSameKey(one: SrtpKey, other: SrtpKey): boolean {
  return (
    one.suite === other.suite &&
    one.material.length === other.material.length &&
    one.material.every((byte, index) => byte === other.material[index])
  )
}
