// Our own side of an offer/answer dialogue: keeps the o= line and the media slots legal over re-offers (RFC 3264 section 8).

import { invariant } from '#kernel'
import { codecAttributes, type SdpCodec } from './codec.ts'
import type { Direction } from './direction.ts'
import { serializeSdp } from './serializer.ts'
import { isToken, type SdpAttribute, type SdpMedia } from './session-description.ts'

/** One media slot as we want it described. */
export interface LocalMedia {
  readonly kind: string
  /** 0: refused or removed. */
  readonly port: number
  readonly protocol: string
  readonly codecs: readonly SdpCodec[]
  readonly direction: Direction
  /** An SDP token (RFC 4574 section 4). */
  readonly label?: string
  /** Written as `a=rtcp` unless it is `port` + 1. */
  readonly rtcpPort?: number
  readonly extra?: readonly SdpAttribute[]
  /** Formats to write instead of the payload types of `codecs`, for media that we refuse. */
  readonly formats?: readonly string[]
}

/** What of a writer survives its process. */
export interface KeptDescription {
  readonly sessionId: string
  readonly version: number
  readonly media: readonly LocalMedia[]
}

/** Writer of our descriptions within one dialog. */
export class LocalDescription {
  readonly #sessionId: string
  readonly #username: string
  readonly #address: string
  #version = 0
  #slots: readonly LocalMedia[] = []
  #unversioned = ''
  #current: Uint8Array | undefined

  /** `sessionId` is decimal; `address` is the literal written into `o=` and `c=`. */
  constructor(options: { sessionId: string; username?: string; address: string }) {
    this.#sessionId = options.sessionId
    this.#username = options.username ?? '-'
    this.#address = options.address
  }

  /** What `resume` takes. */
  kept(): KeptDescription {
    return { sessionId: this.#sessionId, version: this.#version, media: this.#slots.map(withoutOldKeys) }
  }

  /** Goes on where another writer of the same session id stopped. */
  resume({ version, media }: KeptDescription): void {
    this.#version = version
    this.#slots = media
    this.#unversioned = new TextDecoder().decode(this.#serialize(media, 0))
    this.#current = this.#serialize(media, version)
  }

  /** Text for these slots; the version rises by one only if the text changes, and slots missing at the end are written with port 0, without a label that another one has now. */
  describe(media: readonly LocalMedia[]): Uint8Array {
    const labels = new Set(media.map(({ label }) => label))
    const removed = this.#slots.slice(media.length).map(({ label, ...slot }) => {
      const kept = label !== undefined && !labels.has(label) ? { label } : {}
      return { ...slot, ...kept, port: 0 }
    })
    const slots = [...media, ...removed]
    const unversioned = new TextDecoder().decode(this.#serialize(slots, 0))
    if (this.#current === undefined || unversioned !== this.#unversioned) {
      this.#version += 1
      this.#unversioned = unversioned
      this.#slots = slots
      this.#current = this.#serialize(slots, this.#version)
    }
    return this.#current
  }

  /** The text last described. */
  current(): Uint8Array | undefined {
    return this.#current
  }

  #serialize(slots: readonly LocalMedia[], version: number): Uint8Array {
    const place = { addressType: this.#address.includes(':') ? 'IP6' : 'IP4', address: this.#address } as const
    return serializeSdp({
      origin: { username: this.#username, sessionId: this.#sessionId, sessionVersion: `${version}`, ...place },
      sessionName: '-',
      connection: place,
      timing: ['0 0'],
      attributes: [],
      media: slots.map(mediaOf),
      other: [],
    })
  }
}

/** A slot that is removed is described without its attributes, keys among them; so they need not be kept. */
export function withoutOldKeys({ extra, ...slot }: LocalMedia): LocalMedia {
  return slot.port === 0 || extra === undefined ? slot : { ...slot, extra }
}

function mediaOf(slot: LocalMedia): SdpMedia {
  const payloadTypes = slot.codecs.map((codec) => `${codec.payloadType}`)
  const formats = slot.formats ?? (payloadTypes.length > 0 ? payloadTypes : ['0'])
  return {
    kind: slot.kind,
    port: slot.port,
    protocol: slot.protocol,
    formats,
    bandwidth: [],
    attributes: attributesOf(slot),
    other: [],
  }
}

function attributesOf(slot: LocalMedia): SdpAttribute[] {
  invariant(slot.label === undefined || isToken(slot.label), 'a label is an SDP token')
  const label = slot.label === undefined ? [] : [{ name: 'label', value: slot.label }]
  if (slot.port === 0) return label
  const hasRtcp = slot.rtcpPort !== undefined && slot.rtcpPort !== slot.port + 1
  return [
    ...codecAttributes(slot.codecs),
    ...(hasRtcp ? [{ name: 'rtcp', value: `${slot.rtcpPort}` }] : []),
    ...(slot.extra ?? []),
    { name: slot.direction },
    ...label,
  ]
}
