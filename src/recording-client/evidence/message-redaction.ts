// A SIP message as it may be kept as evidence: no people, no credentials, no keys, no application data; dialog, SDP and structure stay.

import { parseMessage, SipHeaders, type SipMessage, serializeMessage, splitList } from '#sip'
import { type BodyPart, isMetadata, isSdp, parseBody, redactMetadata } from '#siprec'
import type { CaptureStandIns } from './stand-ins.ts'

const LEFT_OUT = '***'
const SAFE_HEADERS = new Set([
  'via',
  'max-forwards',
  'call-id',
  'cseq',
  'content-type',
  'content-length',
  'content-disposition',
  'content-transfer-encoding',
  'mime-version',
  'require',
  'proxy-require',
  'supported',
  'unsupported',
  'allow',
  'allow-events',
  'accept',
  'accept-encoding',
  'date',
  'expires',
  'session-expires',
  'min-se',
  'min-expires',
  'retry-after',
  'warning',
  'reason',
  'user-agent',
  'server',
  'rseq',
  'rack',
  'event',
  'subscription-state',
])
const ADDRESS_HEADERS = new Set([
  'from',
  'to',
  'contact',
  'route',
  'record-route',
  'p-asserted-identity',
  'referred-by',
])
const SDP_TEXT_LINES = /^([siuep])=.*$/gm
/** Of whom it is; some phones write their user there. */
const SDP_ORIGIN = /^o=\S+/gm
const SDP_KEYS = /^(a=(?:crypto|acap):.*?inline:).*$/gim
const SDP_CREDENTIALS = /^(a=(?:ice-pwd|ice-ufrag|key-mgmt):|k=).*$/gim
/** Often a user at a host (RFC 5576 section 6.1). */
const SDP_CNAMES = /^(a=ssrc:\d+ cname:).*$/gim
const QUOTED_NAME = /^"(?:[^"\\]|\\.)*"/

/** The message as text; one that cannot be parsed loses its body and every header value that is not known to be safe. */
export function redactMessage(bytes: Uint8Array, standIns: CaptureStandIns): string {
  const parsed = parseMessage(bytes, { transport: 'stream' })
  if (!parsed.ok) return redactLines(new TextDecoder('latin1').decode(bytes), standIns)
  const message = parsed.value
  const headers = SipHeaders.of(
    [...message.headers.entries()].map(([name, value]) => [name, safe(name, value, standIns)]),
  )
  const body = redactBody(message, standIns)
  const redacted: SipMessage =
    message.kind === 'request'
      ? { ...message, uri: standIns.inText(message.uri), headers, body }
      : { ...message, headers, body }
  return new TextDecoder().decode(serializeMessage(redacted))
}

function safe(name: string, value: string, standIns: CaptureStandIns): string {
  const lower = name.toLowerCase()
  if (SAFE_HEADERS.has(lower)) return value
  if (!ADDRESS_HEADERS.has(lower)) return LEFT_OUT
  return splitList(value)
    .map((address) => withoutPerson(address, standIns))
    .join(', ')
}

/** An address without display name and user; what is none is left out. */
function withoutPerson(value: string, standIns: CaptureStandIns): string {
  const from = value.indexOf('<', QUOTED_NAME.exec(value)?.[0].length ?? 0)
  const to = value.indexOf('>', from)
  if (from >= 0 && to > from)
    return `<${standIns.address(value.slice(from + 1, to))}${standIns.inText(value.slice(to))}`
  return value === '*' || /^(?:sips?|tel):/i.test(value) ? standIns.inText(value) : LEFT_OUT
}

/** Parts are written back in their places, so that the boundary of the Content-Type goes on to fit. */
function redactBody({ headers, body }: SipMessage, standIns: CaptureStandIns): Uint8Array {
  if (body.length === 0) return body
  const contentType = headers.get('content-type')
  const { parts } = parseBody(contentType, headers.get('content-disposition'), body)
  const boundary = /boundary\s*=\s*"?([^";\s]{1,70})/i.exec(contentType ?? '')?.[1]
  if (boundary === undefined) return parts[0] === undefined ? body.subarray(0, 0) : redactPart(parts[0], standIns)
  const encoder = new TextEncoder()
  const chunks = parts.flatMap((part) => {
    const lines = part.headers.map(([name, value]) => `${name}: ${safe(name, value, standIns)}\r\n`).join('')
    return [encoder.encode(`--${boundary}\r\n${lines}\r\n`), redactPart(part, standIns), encoder.encode('\r\n')]
  })
  return joined([...chunks, encoder.encode(`--${boundary}--\r\n`)])
}

function redactPart(part: BodyPart, standIns: CaptureStandIns): Uint8Array {
  if (isSdp(part)) return new TextEncoder().encode(redactSdp(new TextDecoder().decode(part.content)))
  const metadata = isMetadata(part) ? redactMetadata(part.content, standIns) : undefined
  return metadata ?? new TextEncoder().encode(`[${part.content.length} bytes left out]`)
}

/** SDP without keys and free text; `s=` may not be empty (RFC 8866 section 5.3). */
function redactSdp(sdp: string): string {
  return sdp
    .replace(SDP_TEXT_LINES, '$1=-')
    .replace(SDP_ORIGIN, 'o=-')
    .replace(SDP_KEYS, `$1${LEFT_OUT}`)
    .replace(SDP_CREDENTIALS, `$1${LEFT_OUT}`)
    .replace(SDP_CNAMES, `$1${LEFT_OUT}`)
}

function redactLines(text: string, standIns: CaptureStandIns): string {
  const end = text.search(/\r?\n\r?\n/)
  const head = end < 0 ? text : text.slice(0, end)
  const [startLine = '', ...lines] = head.split(/\r?\n/)
  const kept = lines.map((line) => {
    const colon = line.indexOf(':')
    return colon < 0
      ? LEFT_OUT
      : `${line.slice(0, colon)}: ${safe(line.slice(0, colon).trim(), line.slice(colon + 1).trim(), standIns)}`
  })
  const left = end < 0 ? 0 : text.length - end
  return [standIns.inText(startLine), ...kept, '', `[malformed message; ${left} bytes left out]`].join('\r\n')
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0))
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.length
  }
  return whole
}
