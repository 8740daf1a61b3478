// What a recorder answers to an offer (RFC 7866 section 7.2, RFC 3264 section 6): each m-line in order, what it keeps taken, SRTP where
// keys may be had.

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
  pictureRequestAttributes,
  pictureRequestOf,
  refusedMedia,
  remoteOf,
  type SdpCodec,
  type SdpCrypto,
  type SdpMedia,
  type SessionDescription,
  sends,
} from '#sdp'
import type { MediaKind } from '#store'
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

/** Media types that can be kept; all of them are unless told. */
export const keptKinds: readonly MediaKind[] = ['audio', 'video', 'text']

/** Repair formats; taking them would put packets into the stream that are none of it (RTP-19). */
const LEFT_OUT = new Set(['ULPFEC', 'PARITYFEC', 'FLEXFEC', 'FLEXFEC-03', 'RTX'])
const PLAIN_PROTOCOLS = new Set(['RTP/AVP', 'RTP/AVPF'])
const BESIDE_AUDIO = new Set(['TELEPHONE-EVENT', 'CN', 'RED'])
/** Of formats that the offer does not explain: what most of their kind have (RFC 3551, RFC 4103). */
const FALLBACK_CLOCK_HZ: Readonly<Record<MediaKind, number>> = { audio: 8000, video: 90_000, text: 1000 }
/** What is no clock of any media would make hours of a packet, or gigabytes of a pause. */
const LEAST_CLOCK_HZ = 1000
const MOST_CLOCK_HZ = 192_000

const tooMany: Refusal = {
  reason: 'too many streams',
  fix: `Let the client send at most ${MAX_STREAMS} streams in a session, and the others in another one.`,
}

const keysFix =
  'Let the client signal over TLS, where recorder.media.srtp.suites has suites, or offer RTP/AVP; or set recorder.media.srtp.keysWithoutTls.'
const transportFix = 'Let the client offer RTP/AVP, or RTP/SAVP with a=crypto: keys by DTLS are not taken.'

/** Plans the answer to an offer, line by line; `suites` are those for which keys may be exchanged, `kinds` what is kept. */
export function planAnswer(
  offer: SessionDescription,
  suites: readonly CryptoSuite[],
  kinds: readonly MediaKind[] = keptKinds,
): PlannedLine[] {
  let streams = 0
  return offer.media.map((media): PlannedLine => {
    const refusal = refusalOf(media, suites, kinds) ?? (streams >= MAX_STREAMS ? tooMany : undefined)
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
  const kind = keptKinds.find((one) => one === media.kind)
  const codecs = trackCodecs(media)
  const pictureRequest = kind === 'video' ? pictureRequestOf(media, typesOf(codecs)) : undefined
  return {
    ...(kind !== undefined && kind !== 'audio' && { kind }),
    ...(pictureRequest && { pictureRequest }),
    ...(pace !== undefined && { pace }),
    codecs,
    isHeld: hasNullAddress(media, session),
    isPaused: media.port === 0 || hasNullAddress(media, session) || !sends(directionOf(media, session)),
    ...remote,
  }
}

function refusalOf(media: SdpMedia, suites: readonly CryptoSuite[], kinds: readonly MediaKind[]): Refusal | undefined {
  if (media.port === 0) return { reason: 'offered with port 0' }
  if (!kinds.some((kind) => kind === media.kind)) return { reason: `media type ${media.kind}` }
  // Digits, comfort noise and repair by themselves: nobody's voice is missing.
  if (!trackCodecs(media).some((codec) => !BESIDE_AUDIO.has(nameOf(codec))))
    return { reason: `no ${media.kind} format` }
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
  const feedback = kind === 'video' ? pictureRequestAttributes(media, typesOf(codecs)) : []
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
      ...(feedback.length > 0 && { extra: feedback }),
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
  // In video RED carries repair; in text what was said before, which is worth having (RFC 4103 section 4.2).
  const isRepair = (name: string): boolean => LEFT_OUT.has(name) || (name === 'RED' && media.kind === 'video')
  return codecsOf(media)
    .filter((codec) => !isRepair(nameOf(codec)))
    .sort((a, b) => rank(a) - rank(b))
}

function trackCodecs(media: SdpMedia): TrackCodec[] {
  const fallbackHz = FALLBACK_CLOCK_HZ[keptKinds.find((kind) => kind === media.kind) ?? 'audio']
  const known = answerCodecs(media).map(({ payloadType, encoding }) => {
    return { payloadType, encoding, clockRateHz: clockRateOf(encoding, fallbackHz) }
  })
  if (known.length > 0 || codecsOf(media).length > 0) return known
  return media.formats
    .filter((format) => /^\d{1,3}$/.test(format) && Number(format) < 128)
    .map((format) => ({
      payloadType: Number(format),
      encoding: `UNKNOWN-${format}/${fallbackHz}`,
      clockRateHz: fallbackHz,
    }))
}

function clockRateOf(encoding: string, fallbackHz: number): number {
  const clockRateHz = Number(encoding.split('/')[1])
  return clockRateHz >= LEAST_CLOCK_HZ && clockRateHz <= MOST_CLOCK_HZ ? clockRateHz : fallbackHz
}

function typesOf(codecs: readonly { readonly payloadType: number }[]): number[] {
  return codecs.map(({ payloadType }) => payloadType)
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
