// What the SIP core needs from sockets and from DNS; implemented by net, and in memory by tests.

import type { Endpoint, Result } from '#kernel'
import type { SipUri } from './message/uri.ts'

/** Transports of RFC 3261 that we carry. */
export type TransportName = 'udp' | 'tcp' | 'tls'

/** Whom a certificate speaks for, when an authority that we trust has signed it. */
export interface PeerCertificate {
  /** Lower case: the SIP domains of RFC 5922 section 7.1; the common name of a certificate without any subjectAltName. */
  readonly names: readonly string[]
  /** SHA-256 of the certificate, 64 hexadecimal digits in lower case. */
  readonly fingerprint: string
}

/** Where a message came from: answers go back over it. */
export interface SipFlow {
  readonly transport: TransportName
  /** Our address as the peer reached it. */
  readonly local: Endpoint
  /** The peer's source address. */
  readonly remote: Endpoint
  /** Identifies the connection for tcp and tls; absent for udp. */
  readonly connectionId?: number
  /** For tls: what the peer has proved; absent where it showed no certificate, or one that we do not trust. */
  readonly certificate?: PeerCertificate
}

/** Where a request is to be sent: the outcome of RFC 3263. */
export interface SipTarget {
  readonly transport: TransportName
  /** IP literal, without brackets. */
  readonly host: string
  readonly port: number
  /** For tls: the name the certificate must prove (RFC 5922). */
  readonly serverName?: string
  /** For tls: name of the certificates to be shown; absent: the transport's own. */
  readonly tlsIdentity?: string
  /** A connection that the peer opened to us: used while it is open (RFC 5923 section 5 asks for it to be kept). */
  readonly connectionId?: number
  /** Fail when not connected by then; the transport's own default otherwise. */
  readonly connectTimeoutMs?: number
}

/** Sockets as seen by the SIP core. All failures are reported through `onFailed`, at most once, never thrown. */
export interface SipTransportPort {
  /** Whether a listener or client for this transport exists. */
  supports(transport: TransportName): boolean
  /** The address to put into Via sent-by and Contact when talking over `transport` (advertised address if set). */
  localAddress(transport: TransportName): Endpoint
  /** Sends to a resolved target, opening or reusing a connection as needed. */
  sendTo(target: SipTarget, bytes: Uint8Array, onFailed: (reason: string) => void): void
  /** Sends back over the flow a message came by; a closed connection is reopened to `fallback` if given. */
  sendBack(flow: SipFlow, bytes: Uint8Array, onFailed: (reason: string) => void, fallback?: SipTarget): void
}

/** Why a URI could not be turned into targets. */
export interface LocateError {
  readonly code: 'dns-failure' | 'no-target' | 'unsupported-transport' | 'bad-uri'
  readonly message: string
}

/** RFC 3263: turns a URI into an ordered list of targets. Never rejects. */
export interface SipLocator {
  locate(uri: SipUri): Promise<Result<readonly SipTarget[], LocateError>>
}
