// What a recorder answers to an offer (RFC 7866 section 7.2, RFC 3264 section 6): each m-line in order, audio taken, SRTP where keys may be had.

import {
  answerDirection,
  type CryptoSuite,
  codecsOf,
  cryptosOf,
  deliveryPaceOf,
  directionOf,
  hasNullAddress,
  isSecureProtocol,
  isToken,
  type LocalMedia,
  labelOf,
  refusedMedia,
  remoteOf,
  type SdpCodec,
  type SdpCrypto,
  type SdpMedia,
  type SessionDescription,
  sends,
} from '#sdp'
import type { StreamSettings } from './record-messages.ts'
import type { TrackCodec } from './track.ts'

/** Streams of one recording session that we take; m-lines beyond are refused (SRS-13). */
export const MAX_STREAMS = 64

/** Bound of the session ids that we write into o=. */
export const MAX_SDP_SESSION_ID = 2 ** 47

/** Why an m-line is not taken. */
interface Refusal {
  readonly reason: string
  /** What helps, in words; absent where no audio is missing for it. */
  readonly fix?: string
}

/** What becomes of one m-line. */
export type PlannedLine =
  | ({ readonly kind: 'refused'; readonly media: LocalMedia } & Refusal)
  | {
      readonly kind: 'stream'
      readonly label?: string
      readonly settings: StreamSettings
      /** The answer's slot, but for our port and key. */
      readonly media: LocalMedia
      /** The client's keys that we could answer; undefined: plain RTP. */
      readonly cryptos: readonly SdpCrypto[] | undefined
    }

/** Repair formats; taking them would put packets into the stream that are no audio (RTP-19). */
const LEFT_OUT = new Set(['ULPFEC', 'PARITYFEC', 'FLEXFEC', 'FLEXFEC-03', 'RTX'])
const PLAIN_PROTOCOLS = new Set(['RTP/AVP', 'RTP/AVPF'])
const BESIDE_AUDIO = new Set(['TELEPHONE-EVENT', 'CN', 'RED'])
const FALLBACK_CLOCK_HZ = 8000
/** What is no clock of any audio would make hours of a packet, or gigabytes of a pause. */
const LEAST_CLOCK_HZ = 1000
const MOST_CLOCK_HZ = 192_000

const tooMany: Refusal = {
  reason: 'too many streams',
  fix: `Let the client send at most ${MAX_STREAMS} streams in a session, and the others in another one.`,
}

const keysFix =
  'Let the client signal over TLS, where recorder.media.srtp.suites has suites, or offer RTP/AVP; or set recorder.media.srtp.keysWithoutTls.'
const transportFix = 'Let the client offer RTP/AVP, or RTP/SAVP with a=crypto: keys by DTLS are not taken.'

/** Plans the answer to an offer, line by line; `suites` are those for which keys may be exchanged. */
export function planAnswer(offer: SessionDescription, suites: readonly CryptoSuite[]): PlannedLine[] {
  let streams = 0
  return offer.media.map((media): PlannedLine => {
    const refusal = refusalOf(media, suites) ?? (streams >= MAX_STREAMS ? tooMany : undefined)
    if (refusal !== undefined) return { kind: 'refused', media: refused(media), ...refusal }
    streams += 1
    return streamLine(media, offer)
  })
}

/** The slots of an answer that takes nothing of an offer. */
export function refuseAll(offer: SessionDescription): LocalMedia[] {
  return offer.media.map(refused)
}

/** What the peer's description says of a stream that we know: used for answers to our own offers. */
export function settingsOf(media: SdpMedia, session: SessionDescription): StreamSettings {
  const remote = remoteOf(media, session)
  const pace = deliveryPaceOf(media)
  return {
    ...(pace !== undefined && { pace }),
    codecs: trackCodecs(media),
    isHeld: hasNullAddress(media, session),
    isPaused: media.port === 0 || hasNullAddress(media, session) || !sends(directionOf(media, session)),
    ...remote,
  }
}

function refusalOf(media: SdpMedia, suites: readonly CryptoSuite[]): Refusal | undefined {
  if (media.port === 0) return { reason: 'offered with port 0' }
  if (media.kind !== 'audio') return { reason: `media type ${media.kind}` }
  // Digits, comfort noise and repair by themselves: nobody's voice is missing.
  if (!trackCodecs(media).some((codec) => !BESIDE_AUDIO.has(nameOf(codec)))) return { reason: 'no audio format' }
  if (isSecureProtocol(media.protocol)) {
    if (suites.length === 0) return { reason: 'SRTP keys may not be exchanged here', fix: keysFix }
    if (cryptosOf(media).some(({ suite }) => suites.includes(suite))) return undefined
    return {
      reason: 'no crypto line that we can answer',
      fix: `Let the client offer a=crypto with ${suites.join(' or ')}.`,
    }
  }
  return PLAIN_PROTOCOLS.has(media.protocol.toUpperCase())
    ? undefined
    : { reason: `transport ${media.protocol}`, fix: transportFix }
}

function streamLine(media: SdpMedia, offer: SessionDescription): PlannedLine {
  const label = usableLabel(media)
  const codecs = answerCodecs(media)
  const direction = answerDirection(directionOf(media, offer), 'recvonly')
  const { kind, protocol } = media
  return {
    kind: 'stream',
    ...(label !== undefined && { label }),
    settings: settingsOf(media, offer),
    cryptos: isSecureProtocol(protocol) ? cryptosOf(media) : undefined,
    media: {
      kind,
      protocol,
      port: 0,
      codecs,
      direction,
      ...(label !== undefined && { label }),
      // Formats that the offer did not explain can be repeated, but not described.
      ...(codecs.length === 0 && { formats: media.formats }),
    },
  }
}

/** The offer's formats that we keep: G.711 first, for recordings that play anywhere; digits and comfort noise last. */
function answerCodecs(media: SdpMedia): SdpCodec[] {
  const rank = (codec: SdpCodec): number => {
    const name = nameOf(codec)
    if (name === 'PCMU' || name === 'PCMA') return 0
    return BESIDE_AUDIO.has(name) ? 2 : 1
  }
  return codecsOf(media)
    .filter((codec) => !LEFT_OUT.has(nameOf(codec)))
    .sort((a, b) => rank(a) - rank(b))
}

function trackCodecs(media: SdpMedia): TrackCodec[] {
  const known = answerCodecs(media).map(({ payloadType, encoding }) => {
    return { payloadType, encoding, clockRateHz: clockRateOf(encoding) }
  })
  if (known.length > 0 || codecsOf(media).length > 0) return known
  return media.formats
    .filter((format) => /^\d{1,3}$/.test(format) && Number(format) < 128)
    .map((format) => ({
      payloadType: Number(format),
      encoding: `UNKNOWN-${format}/${FALLBACK_CLOCK_HZ}`,
      clockRateHz: FALLBACK_CLOCK_HZ,
    }))
}

function clockRateOf(encoding: string): number {
  const clockRateHz = Number(encoding.split('/')[1])
  return clockRateHz >= LEAST_CLOCK_HZ && clockRateHz <= MOST_CLOCK_HZ ? clockRateHz : FALLBACK_CLOCK_HZ
}

function refused(media: SdpMedia): LocalMedia {
  const { label, ...slot } = refusedMedia(media)
  return label !== undefined && isToken(label) ? { ...slot, label } : slot
}

function usableLabel(media: SdpMedia): string | undefined {
  const label = labelOf(media)
  return label !== undefined && isToken(label) ? label : undefined
}

function nameOf(codec: { readonly encoding: string }): string {
  return codec.encoding.split('/')[0]!
}
