// What a strict recorder objects to in the offers of one recording session: RFC 3264 sections 5 and 8, RFC 7866 section 7.1, RFC 4574.

import type { MediaLine, SdpText } from './sdp-text.ts'

const LABEL_TOKEN = /^[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+$/

/** Checks one offer against the one before it; undefined for the first. */
export function checkOffer(offer: SdpText, before: SdpText | undefined): string[] {
  const found = [...offer.objections]
  if (offer.media.length === 0) found.push('RFC 7866 7.1.1: an offer without m-lines')
  const labels = new Set<string>()
  const ports = new Set<number>()
  for (const [i, line] of offer.media.entries()) {
    checkLine(line, i, found)
    if (line.label !== undefined && labels.has(line.label))
      found.push(`RFC 4574 4: two m-lines have the label ${line.label}`)
    if (line.port !== 0 && ports.has(line.port)) found.push(`RFC 3264 5.1: two m-lines share the port ${line.port}`)
    if (line.label !== undefined) labels.add(line.label)
    ports.add(line.port)
  }
  if (before !== undefined) checkReoffer(offer, before, found)
  return found
}

function checkLine(line: MediaLine, i: number, found: string[]): void {
  if (line.label === undefined) found.push(`RFC 7866 7.1.1: m-line ${i} has no label`)
  else if (!LABEL_TOKEN.test(line.label)) found.push(`RFC 4574 4: the label ${line.label} is no token`)
  if (line.port === 0) return
  if (!line.isDirectionWritten || (line.direction !== 'sendonly' && line.direction !== 'inactive')) {
    const direction = line.isDirectionWritten ? line.direction : 'not written'
    found.push(`RFC 7866 7.1.1: the direction of m-line ${i} is ${direction}`)
  }
  if (!Number.isInteger(line.port) || line.port < 1 || line.port > 65_535)
    found.push(`RFC 8866 5.14: m-line ${i} has a bad port`)
  if (line.codecs.length === 0) found.push(`RFC 8866 5.14: m-line ${i} has no formats`)
  const types = new Set(line.codecs.map((codec) => codec.payloadType))
  if (types.size !== line.codecs.length) found.push(`RFC 8866 5.14: m-line ${i} names a payload type twice`)
  if (line.direction !== 'inactive' && line.address === '0.0.0.0')
    found.push(`RFC 3264 8.4: m-line ${i} sends from 0.0.0.0`)
}

function checkReoffer(offer: SdpText, before: SdpText, found: string[]): void {
  const [, id, version, ...where] = offer.origin
  const [, idBefore, versionBefore, ...whereBefore] = before.origin
  if (id !== idBefore || offer.origin[0] !== before.origin[0] || where.join(' ') !== whereBefore.join(' ')) {
    found.push('RFC 3264 8: the o= line of a re-offer differs in more than its version')
  }
  const step = Number(version) - Number(versionBefore)
  const isChanged = withoutOrigin(offer) !== withoutOrigin(before)
  if (isChanged && step !== 1) found.push(`RFC 3264 8: a changed offer raised the o= version by ${step}`)
  if (!isChanged && step !== 0) found.push(`RFC 3264 8: an unchanged offer raised the o= version by ${step}`)
  if (offer.media.length < before.media.length) {
    found.push(`RFC 3264 8: the re-offer has ${offer.media.length} m-lines after ${before.media.length}`)
  }
  for (const [i, line] of offer.media.entries()) {
    const old = before.media[i]
    if (old === undefined || old.port === 0 || line.port === 0) continue
    if (line.kind !== old.kind) found.push(`RFC 3264 8.3.3: m-line ${i} changed from ${old.kind} to ${line.kind}`)
    if (line.label !== old.label) found.push(`RFC 7866 7.1.1: the label of m-line ${i} changed`)
    for (const codec of line.codecs) {
      const was = old.codecs.find((one) => one.payloadType === codec.payloadType)
      if (was && was.name.toLowerCase() !== codec.name.toLowerCase()) {
        found.push(`RFC 3264 8.3.2: payload type ${codec.payloadType} changed its meaning`)
      }
    }
  }
}

function withoutOrigin(sdp: SdpText): string {
  return sdp.text.replace(/^o=.*$/m, '')
}
