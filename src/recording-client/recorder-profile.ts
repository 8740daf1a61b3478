// What one recorder is known to take and to want: everything that may differ from recorder to recorder.

import type { SrtpSuite } from '#engine'
import type { HeaderList, HopChoice, InviteOptions } from '#sip'
import type { Omission } from './metadata-omissions.ts'

/** Credentials for digest authentication (RFC 8760). */
export interface RecorderCredentials {
  readonly username: string
  readonly password: string
  /** MD5 is weak, and taken only when told. */
  readonly allowMd5: boolean
}

/** How metadata is written for a recorder. */
export interface MetadataStyle {
  /** `legacy`: `application/rs-metadata`, the type of the drafts. */
  readonly mediaType: 'rfc' | 'legacy'
  /** `rfc7865`, or the drafts' older vocabulary as legacy AudioCodes and SmartTAP recorders read it. */
  readonly dialect: 'rfc7865' | 'smarttap'
  /** jambonz' extension elements stand in its `extensiondata` wrapper (not schema-valid). */
  readonly jambonzWrapper: boolean
  /** Namespace of the asker's own extension data; absent: ours. */
  readonly extensionNamespace?: string
  /** What the recorder is not told of people. */
  readonly omit: readonly Omission[]
  /** What mid-call documents are: all of it, or what changed. */
  readonly updates: 'complete' | 'partial'
}

/** What a recorder is offered of the media. */
export interface MediaStyle {
  /** A stream per party, or one of all parties mixed. */
  readonly streams: 'separate' | 'mixed'
  /** A recorder that does not take all separate streams is offered the mix instead. */
  readonly mixFallback: boolean
  /** Whose voices: one direction only for agent-side or customer-side recording. */
  readonly side: 'both' | 'caller' | 'far'
  /** `as-call`: what the call speaks; `g711`: only G.711, converted if the call speaks something else. */
  readonly codecs: 'as-call' | 'g711'
  readonly video: boolean
  /** Suites offered, best first; empty: plain RTP. */
  readonly srtp: readonly SrtpSuite[]
  /** RTCP on the port of the RTP is offered (RFC 5761): it keeps the way open for both through a NAT, in a pause too (RFC 6263). */
  readonly rtcpMux: boolean
  /** Digits are left out of what the recorder gets. */
  readonly maskDtmf: boolean
}

/** A recorder profile, by name; chosen by the host of the recorder's URI. */
export interface RecorderProfile {
  readonly name: string
  /** Transport for a `sip:` URI that names none; absent: by DNS. */
  readonly transport?: 'udp' | 'tcp' | 'tls'
  /** Name of the set of TLS certificates shown to this recorder; absent: the gateway's own. */
  readonly tlsIdentity?: string
  readonly credentials?: RecorderCredentials
  /** User-to-User, Call-Info and any other header, on the INVITE. */
  readonly headers: HeaderList
  readonly metadata: MetadataStyle
  readonly media: MediaStyle
  /** Session-Expires asked for, in seconds; absent: no session timer (RFC 4028). */
  readonly sessionExpiresSeconds?: number
  /** The way to the recorder is trusted: a call may be recorded there with less protection than its own (SEC-06). */
  readonly trustedNetwork: boolean
  /** A recording session stays up for so long without a call, and the next call is put into it; absent: one for each call. */
  readonly idleSessionMs?: number
  /** So many calls at a time are put into one recording session; absent: one. */
  readonly callsPerSession?: number
  /** A recorder that is not heard by RTCP is asked by OPTIONS, and lost when it gives no answer though it gave some sign before. */
  readonly lostWhenUnanswered: boolean
  /** No sign of life (RTCP) for so long counts as loss of the recorder; absent: never. */
  readonly lostAfterSilenceMs?: number
  /** So many OPTIONS in a row that it does not answer count as loss of the recorder; absent: never. */
  readonly lostAfterProbes?: number
}

/** How requests get to a recorder, what proves who sends them, and how the session is kept alive. */
export function hopOf({
  transport,
  tlsIdentity,
  credentials,
  sessionExpiresSeconds,
}: RecorderProfile): HopChoice & Pick<InviteOptions, 'credentials' | 'sessionTimer'> {
  return {
    ...(transport === undefined ? {} : { transport }),
    ...(tlsIdentity === undefined ? {} : { tlsIdentity }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(sessionExpiresSeconds === undefined ? {} : { sessionTimer: { expiresSeconds: sessionExpiresSeconds } }),
  }
}

/** What a recorder gets about which nothing is configured. */
export const defaultProfile: RecorderProfile = {
  name: 'default',
  headers: [],
  metadata: { mediaType: 'rfc', dialect: 'rfc7865', jambonzWrapper: false, omit: [], updates: 'complete' },
  media: {
    streams: 'separate',
    mixFallback: false,
    side: 'both',
    codecs: 'as-call',
    video: true,
    srtp: [],
    rtcpMux: false,
    maskDtmf: false,
  },
  trustedNetwork: false,
  lostWhenUnanswered: true,
}
