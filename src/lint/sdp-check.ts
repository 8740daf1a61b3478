// Checks a session description of a recording session (RFC 7866 section 7, RFC 4574, RFC 4568).

import { attributeOf, codecsOf, directionOf, isToken, labelOf, parseSdp, receives, type SdpMedia, sends } from '#sdp'
import type { Report } from './finding.ts'
import type { SdpCode } from './message-rules.ts'

/** Who wrote the description, and whether it answers one. */
export interface SdpAuthor {
  readonly role: 'source' | 'recorder'
  readonly isAnswer: boolean
}

/** Checks a description, whose first line is `firstLine` of the file; returns the labels of its m-lines, undefined if it cannot be read. */
export function checkSdp(
  bytes: Uint8Array,
  author: SdpAuthor,
  firstLine: number,
  report: Report<SdpCode>,
): string[] | undefined {
  const parsed = parseSdp(bytes)
  if (!parsed.ok) {
    report('sdp-malformed', parsed.error.message, { line: firstLine + parsed.error.line - 1 })
    return undefined
  }
  const description = parsed.value
  const lines = new TextDecoder().decode(bytes).split('\n')
  const mediaLines = lines.flatMap((line, at) => (line.startsWith('m=') ? [firstLine + at] : []))
  for (const warning of description.warnings) report('sdp-form', warning, { line: firstLine })
  if (description.media.length === 0) report('no-media', 'no m-line', { line: firstLine })
  const labels: string[] = []
  for (const [index, media] of description.media.entries()) {
    const place = { line: mediaLines[index] ?? firstLine }
    const say: Report<SdpCode> = (code, message) => report(code, `m-line ${index + 1} ${message}`, place)
    const label = labelOf(media)
    checkLabel(label, labels, author, say)
    labels.push(label ?? '')
    if (media.port === 0) continue
    checkDirection(directionOf(media, description), author, say)
    const address = (media.connection ?? description.connection)?.address
    if (address === '0.0.0.0' || address === '::') say('null-address', `has the address ${address}`)
    checkTransport(media, say)
  }
  return labels.filter((label) => label !== '')
}

function checkLabel(
  label: string | undefined,
  earlier: readonly string[],
  { role, isAnswer }: SdpAuthor,
  say: Report<SdpCode>,
): void {
  if (label === undefined) say(role === 'recorder' && isAnswer ? 'answer-without-label' : 'no-label', 'has no label')
  else if (!isToken(label)) say('sdp-label-form', `has the label ${label}, which is no token`)
  else if (earlier.includes(label)) say('sdp-label-repeated', `has the label ${label} of another`)
}

function checkDirection(direction: Parameters<typeof sends>[0], { role }: SdpAuthor, say: Report<SdpCode>): void {
  if (role === 'source' && receives(direction)) say('source-direction', `is ${direction}`)
  if (role === 'recorder' && sends(direction)) say('recorder-direction', `is ${direction}`)
}

function checkTransport(media: SdpMedia, say: Report<SdpCode>): void {
  const protocol = media.protocol.toUpperCase()
  const hasKey = attributeOf(media.attributes, 'crypto') !== undefined
  if (!protocol.includes('RTP/')) return
  if (codecsOf(media).length === 0) say('no-codec', 'has no codec that can be named')
  const isSecure = protocol.includes('RTP/SAVP')
  if (isSecure && !protocol.startsWith('UDP/TLS') && !hasKey) say('no-key', `is ${media.protocol} without a key`)
  if (!isSecure && hasKey) say('key-without-srtp', `is ${media.protocol} with a=crypto`)
}
