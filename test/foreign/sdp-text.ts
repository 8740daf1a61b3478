// SDP as text (RFC 8866) and the few offer/answer facts both peers look at (RFC 3264).

/** A direction attribute. */
export type Direction = 'sendonly' | 'recvonly' | 'sendrecv' | 'inactive'

/** One format of an m-line; static payload types are known without an rtpmap (RFC 3551). */
export type Codec = { readonly payloadType: number; readonly name: string; readonly clockRateHz: number }

/** One m-line with what stands under it. */
export type MediaLine = {
  readonly kind: string
  readonly port: number
  readonly profile: string
  readonly address: string
  readonly direction: Direction
  readonly isDirectionWritten: boolean
  readonly label: string | undefined
  readonly codecs: readonly Codec[]
  /** By a=rtcp or the next port; neither peer agrees to a=rtcp-mux (RFC 5761 section 5.1.1). */
  readonly rtcpPort: number
  readonly attributes: readonly string[]
}

/** A session description. */
export type SdpText = {
  readonly origin: readonly string[]
  readonly media: readonly MediaLine[]
  readonly text: string
  readonly objections: readonly string[]
}

const STATIC: Record<number, readonly [string, number]> = {
  0: ['PCMU', 8000],
  3: ['GSM', 8000],
  4: ['G723', 8000],
  8: ['PCMA', 8000],
  9: ['G722', 8000],
  18: ['G729', 8000],
}
const DIRECTIONS = ['sendonly', 'recvonly', 'sendrecv', 'inactive'] as const
const SESSION_ORDER = 'vosiuepcbtrzka'

/** Reads a description; what RFC 8866 forbids goes to `objections`. */
export function parseSdp(text: string): SdpText {
  const objections: string[] = []
  if (!text.endsWith('\r\n') || /[^\r]\n/.test(text))
    objections.push('RFC 8866 5: an SDP line that does not end in CRLF')
  const lines = text.split(/\r?\n/).filter((line) => line !== '')
  const firstMedia = lines.findIndex((line) => line.startsWith('m='))
  const session = firstMedia < 0 ? lines : lines.slice(0, firstMedia)
  for (const needed of ['v=0', 'o=', 's=', 't=']) {
    if (!session.some((line) => line.startsWith(needed))) objections.push(`RFC 8866 5: the SDP has no ${needed} line`)
  }
  let place = 0
  for (const line of session) {
    const rank = SESSION_ORDER.indexOf(line[0] ?? '')
    if (line[1] !== '=' || rank < place) objections.push(`RFC 8866 5: SDP line out of place: ${line.slice(0, 2)}`)
    place = Math.max(place, rank)
  }
  const media: MediaLine[] = []
  if (firstMedia >= 0) {
    const blocks: string[][] = []
    for (const line of lines.slice(firstMedia)) {
      if (line.startsWith('m=')) blocks.push([line])
      else blocks.at(-1)?.push(line)
    }
    for (const block of blocks) media.push(parseMedia(block, session, objections))
  }
  const origin = (session.find((line) => line.startsWith('o=')) ?? 'o=').slice(2).split(' ')
  if (origin.length !== 6) objections.push('RFC 8866 5.2: the o= line has not six fields')
  return { origin, media, text, objections }
}

function parseMedia(block: readonly string[], session: readonly string[], objections: string[]): MediaLine {
  const [kind = '', portText = '', profile = '', ...formats] = (block[0] ?? '').slice(2).split(' ')
  const port = Number(portText.split('/')[0])
  const attributes = block.filter((line) => line.startsWith('a=')).map((line) => line.slice(2))
  const connection = block.find((line) => line.startsWith('c=')) ?? session.find((line) => line.startsWith('c='))
  if (connection === undefined) objections.push('RFC 8866 5.7: an m-line without a c= line')
  const written = DIRECTIONS.find((direction) => attributes.includes(direction))
  const inherited = DIRECTIONS.find((direction) => session.includes(`a=${direction}`))
  const codecs: Codec[] = []
  for (const format of formats) {
    const map = attributes.find((attribute) => attribute.startsWith(`rtpmap:${format} `))
    const [name = '', rate = ''] = map === undefined ? [] : (map.split(' ')[1] ?? '').split('/')
    const known = STATIC[Number(format)]
    if (map !== undefined) codecs.push({ payloadType: Number(format), name, clockRateHz: Number(rate) })
    else if (known) codecs.push({ payloadType: Number(format), name: known[0], clockRateHz: known[1] })
    else if (port !== 0) objections.push(`RFC 8866 6.6: payload type ${format} has no rtpmap`)
  }
  const rtcp = attributes.find((attribute) => attribute.startsWith('rtcp:'))?.slice(5)
  return {
    kind,
    port,
    profile,
    address: (connection ?? '').split(' ')[2] ?? '',
    direction: written ?? inherited ?? 'sendrecv',
    isDirectionWritten: (written ?? inherited) !== undefined,
    label: attributes.find((attribute) => attribute.startsWith('label:'))?.slice(6),
    codecs,
    rtcpPort: rtcp === undefined ? port + 1 : Number(rtcp.split(' ')[0]),
    attributes,
  }
}

/** What goes into one m-line that a peer writes. */
export type MediaSpec = {
  readonly kind?: string
  readonly port: number
  readonly codecs: readonly Codec[]
  readonly direction: Direction | ''
  readonly label: string | undefined
  /** The value of its crypto line, which makes it SRTP. */
  readonly crypto?: string | undefined
}

/** Writes a description for the loopback address. */
export function buildSdp(user: string, sessionId: number, version: number, media: readonly MediaSpec[]): string {
  const lines = ['v=0', `o=${user} ${sessionId} ${version} IN IP4 127.0.0.1`, 's=-', 'c=IN IP4 127.0.0.1', 't=0 0']
  for (const line of media) {
    const types = line.codecs.map((codec) => codec.payloadType).join(' ')
    lines.push(`m=${line.kind ?? 'audio'} ${line.port} ${line.crypto === undefined ? 'RTP/AVP' : 'RTP/SAVP'} ${types}`)
    if (line.crypto !== undefined) lines.push(`a=crypto:${line.crypto}`)
    for (const codec of line.codecs) {
      lines.push(`a=rtpmap:${codec.payloadType} ${codec.name}/${codec.clockRateHz}`)
      if (codec.name === 'telephone-event') lines.push(`a=fmtp:${codec.payloadType} 0-15`)
    }
    if (line.direction !== '') lines.push(`a=${line.direction}`)
    if (line.label !== undefined) lines.push(`a=label:${line.label}`)
  }
  return `${lines.join('\r\n')}\r\n`
}

/** The answerer's direction for an offered one, when the answerer never sends (RFC 3264 section 6.1). */
export function receivingDirection(offered: Direction): Direction {
  return offered === 'sendonly' || offered === 'sendrecv' ? 'recvonly' : 'inactive'
}
