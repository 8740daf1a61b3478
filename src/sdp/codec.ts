// Codecs of a media description: rtpmap, fmtp and the static payload types of RFC 3551 section 6.

import type { SdpAttribute, SdpMedia } from './session-description.ts'

/** A payload format; `encoding` is upper case, `PCMU/8000` or, above one channel, `OPUS/48000/2`. */
export interface SdpCodec {
  readonly payloadType: number
  readonly encoding: string
  readonly fmtp?: string
}

const STATIC_TYPES: ReadonlyMap<number, string> = new Map([
  [0, 'PCMU/8000'],
  [3, 'GSM/8000'],
  [4, 'G723/8000'],
  [5, 'DVI4/8000'],
  [6, 'DVI4/16000'],
  [7, 'LPC/8000'],
  [8, 'PCMA/8000'],
  [9, 'G722/8000'],
  [10, 'L16/44100/2'],
  [11, 'L16/44100'],
  [12, 'QCELP/8000'],
  [13, 'CN/8000'],
  [14, 'MPA/90000'],
  [15, 'G728/8000'],
  [16, 'DVI4/11025'],
  [17, 'DVI4/22050'],
  [18, 'G729/8000'],
  [25, 'CELB/90000'],
  [26, 'JPEG/90000'],
  [28, 'NV/90000'],
  [31, 'H261/90000'],
  [32, 'MPV/90000'],
  [33, 'MP2T/90000'],
  [34, 'H263/90000'],
])

/** Codecs in the order of the `m=` line; a dynamic type without rtpmap, and media that is not RTP, yield none. */
export function codecsOf(media: SdpMedia): SdpCodec[] {
  if (!media.protocol.toUpperCase().includes('RTP/')) return []
  const mapped = byPayloadType(media.attributes, 'rtpmap')
  const parameters = byPayloadType(media.attributes, 'fmtp')
  const codecs = new Map<number, SdpCodec>()
  for (const format of media.formats) {
    const payloadType = payloadTypeOf(format)
    if (payloadType === undefined || codecs.has(payloadType)) continue
    const encoding = encodingOf(mapped.get(payloadType)) ?? STATIC_TYPES.get(payloadType)
    if (encoding === undefined) continue
    const fmtp = parameters.get(payloadType)
    codecs.set(payloadType, { payloadType, encoding, ...(fmtp === undefined ? {} : { fmtp }) })
  }
  return [...codecs.values()]
}

/** The rtpmap and fmtp attributes of codecs; rtpmap is written for static types too. */
export function codecAttributes(codecs: readonly SdpCodec[]): SdpAttribute[] {
  return codecs.flatMap((codec) => {
    const rtpmap = { name: 'rtpmap', value: `${codec.payloadType} ${writtenEncoding(codec.encoding)}` }
    return codec.fmtp === undefined ? [rtpmap] : [rtpmap, { name: 'fmtp', value: `${codec.payloadType} ${codec.fmtp}` }]
  })
}

// Names whose registered spelling is lower case; some peers compare case-sensitively.
function writtenEncoding(encoding: string): string {
  return /^(OPUS|TELEPHONE-EVENT)\//.test(encoding) ? encoding.toLowerCase() : encoding
}

function byPayloadType(attributes: readonly SdpAttribute[], name: string): Map<number, string> {
  const found = new Map<number, string>()
  for (const attribute of attributes) {
    if (attribute.name !== name) continue
    const value = (attribute.value ?? '').trim()
    const space = value.indexOf(' ')
    const payloadType = payloadTypeOf(space < 0 ? value : value.slice(0, space))
    if (payloadType !== undefined && space > 0 && !found.has(payloadType)) {
      found.set(payloadType, value.slice(space + 1).trim())
    }
  }
  return found
}

function payloadTypeOf(text: string): number | undefined {
  if (!/^\d{1,3}$/.test(text)) return undefined
  const number = Number(text)
  return number <= 127 ? number : undefined
}

function encodingOf(rtpmap: string | undefined): string | undefined {
  const [name, clockRate, channels] = rtpmap?.toUpperCase().split('/') ?? []
  if (!name || clockRate === undefined || !/^\d{1,7}$/.test(clockRate)) return undefined
  // Opus is always named with two channels (RFC 7587 section 7), which some leave out.
  if (name === 'OPUS') return `${name}/${clockRate}/2`
  return channels === undefined || channels === '1' ? `${name}/${clockRate}` : `${name}/${clockRate}/${channels}`
}
