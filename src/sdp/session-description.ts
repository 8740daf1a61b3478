// Typed model of a session description (RFC 8866) and the questions asked about one media description.

import type { Endpoint } from '#kernel'

/** An `a=` line; `value` is absent for property attributes such as `a=sendonly`. */
export interface SdpAttribute {
  readonly name: string
  readonly value?: string
}

/** A `c=` line; `address` is kept as written, a multicast TTL suffix included. */
export interface SdpConnection {
  readonly addressType: 'IP4' | 'IP6'
  readonly address: string
}

/** The `o=` line (RFC 8866 section 5.2); numbers stay text because they may exceed 2^53. */
export interface SdpOrigin {
  readonly username: string
  readonly sessionId: string
  readonly sessionVersion: string
  readonly addressType: 'IP4' | 'IP6'
  readonly address: string
}

/** One `m=` line with what follows it; `other` holds whole lines (`x=value`) of types not modelled. */
export interface SdpMedia {
  readonly kind: string
  /** 0 means refused or removed. */
  readonly port: number
  readonly portCount?: number
  readonly protocol: string
  readonly formats: readonly string[]
  readonly title?: string
  readonly connection?: SdpConnection
  readonly bandwidth: readonly string[]
  readonly attributes: readonly SdpAttribute[]
  readonly other: readonly string[]
}

/** A whole description; `timing` holds the values of the `t=` lines, `other` whole lines not modelled. */
export interface SessionDescription {
  readonly origin: SdpOrigin
  readonly sessionName: string
  readonly connection?: SdpConnection
  readonly timing: readonly string[]
  readonly attributes: readonly SdpAttribute[]
  readonly media: readonly SdpMedia[]
  readonly other: readonly string[]
}

/** Value of the first attribute of that name, `''` for a property attribute, undefined if absent. */
export function attributeOf(attributes: readonly SdpAttribute[], name: string): string | undefined {
  const found = attributes.find((attribute) => attribute.name === name)
  return found === undefined ? undefined : (found.value ?? '')
}

/** The `a=label` of a media description (RFC 4574), undefined if absent or empty. */
export function labelOf(media: SdpMedia): string | undefined {
  return attributeOf(media.attributes, 'label')?.trim() || undefined
}

/** Where the describing party wants RTP and RTCP; undefined for port 0, no `c=`, or the null address (RFC 3264 section 8.4). */
export function remoteOf(media: SdpMedia, session: SessionDescription): { rtp: Endpoint; rtcp: Endpoint } | undefined {
  const host = addressOf(media, session)
  if (media.port === 0 || host === undefined || isNullAddress(host)) return undefined
  const rtcp = attributeOf(media.attributes, 'rtcp')?.split(' ') ?? []
  const rtcpPort = portNumber(rtcp[0] ?? '')
  return {
    rtp: { host, port: media.port },
    rtcp: { host: (rtcpPort && rtcp[3]) || host, port: rtcpPort || Math.min(media.port + 1, 65_535) },
  }
}

/** Whether the party asks for no media by the old form of hold, `c=0.0.0.0` (RFC 3264 section 8.4). */
export function hasNullAddress(media: SdpMedia, session: SessionDescription): boolean {
  const host = addressOf(media, session)
  return host !== undefined && isNullAddress(host)
}

/** Parses a port, 0 to 65535; undefined if the text is anything else. */
export function portNumber(text: string): number | undefined {
  if (!/^\d{1,5}$/.test(text)) return undefined
  const port = Number(text)
  return port <= 65_535 ? port : undefined
}

/** Whether the text is an SDP token (RFC 8866 section 9), which a label has to be (RFC 4574 section 4). */
export function isToken(text: string): boolean {
  return /^[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+$/.test(text)
}

function addressOf(media: SdpMedia, session: SessionDescription): string | undefined {
  return (media.connection ?? session.connection)?.address.split('/')[0]
}

function isNullAddress(address: string): boolean {
  return address === '0.0.0.0' || address === '::'
}
