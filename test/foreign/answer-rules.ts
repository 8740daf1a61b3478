// What a strict client objects to in a recorder's 2xx: RFC 3264 section 6, RFC 7866 sections 6.2 and 8.3.1.

import { checkRecordingSession } from './message-rules.ts'
import { mediaTypeOf } from './mime-text.ts'
import { type Direction, parseSdp, type SdpText } from './sdp-text.ts'
import { headerOf, type SipText, tagOf } from './sip-text.ts'

const ALLOWED: Record<Direction, readonly Direction[]> = {
  sendonly: ['recvonly', 'inactive'],
  sendrecv: ['recvonly', 'inactive'],
  recvonly: ['inactive'],
  inactive: ['inactive'],
}

/** An answer with what is wrong about it; `sdp` is undefined when there is none. */
export type CheckedAnswer = { readonly sdp: SdpText | undefined; readonly found: readonly string[] }

/** Checks the answer to an offer; `offer` is undefined when the request had none. */
export function checkAnswer(response: SipText, offer: SdpText | undefined, before: SdpText | undefined): CheckedAnswer {
  const found = checkRecordingSession(response, '+sip.srs', false)
  if (tagOf(response, 'To') === '') found.push('RFC 3261 8.2.6.2: a 200 without a To tag')
  if (Number(headerOf(response, 'Content-Length')) !== response.body.length) found.push('RFC 3261 18.3: Content-Length')
  if (response.body.length === 0) {
    if (offer !== undefined) found.push('RFC 3264 6: a 200 without an answer')
    return { sdp: undefined, found }
  }
  const type = mediaTypeOf(headerOf(response, 'Content-Type') ?? '')
  if (type !== 'application/sdp') {
    found.push(`RFC 7866 9.1: the 200 carries ${type}`)
    return { sdp: undefined, found }
  }
  const sdp = parseSdp(response.body.toString('utf8'))
  found.push(...sdp.objections)
  if (offer !== undefined) checkAgainstOffer(sdp, offer, found)
  if (before !== undefined) checkVersion(sdp, before, found)
  return { sdp, found }
}

function checkAgainstOffer(answer: SdpText, offer: SdpText, found: string[]): void {
  if (answer.media.length !== offer.media.length) {
    found.push(`RFC 3264 6: ${answer.media.length} m-lines answer ${offer.media.length}`)
  }
  for (const [i, offered] of offer.media.entries()) {
    const line = answer.media[i]
    if (line === undefined) continue
    if (line.kind !== offered.kind || line.profile !== offered.profile) {
      found.push(`RFC 3264 6: m-line ${i} answers ${line.kind} ${line.profile}`)
    }
    if (line.attributes.includes('rtcp-mux') && !offered.attributes.includes('rtcp-mux')) {
      found.push(`RFC 5761 5.1.1: m-line ${i} answers rtcp-mux unasked`)
    }
    if (offered.port === 0 && line.port !== 0) found.push(`RFC 3264 6: m-line ${i} was removed but has a port`)
    if (line.port === 0) continue
    if (!ALLOWED[offered.direction].includes(line.direction)) {
      found.push(`RFC 7866 7.2: ${line.direction} answers ${offered.direction} on m-line ${i}`)
    }
    if (line.label !== undefined && line.label !== offered.label)
      found.push(`RFC 4574 4: m-line ${i} has a foreign label`)
    const names = offered.codecs.map((codec) => codec.name.toLowerCase())
    for (const codec of line.codecs) {
      if (!names.includes(codec.name.toLowerCase()))
        found.push(`RFC 3264 6.1: ${codec.name} was not offered on m-line ${i}`)
    }
  }
}

function checkVersion(answer: SdpText, before: SdpText, found: string[]): void {
  const strip = (sdp: SdpText) => sdp.text.replace(/^o=.*$/m, '')
  const step = Number(answer.origin[2]) - Number(before.origin[2])
  if (answer.origin[1] !== before.origin[1]) found.push('RFC 3264 8: the session id of the answer changed')
  if (step !== (strip(answer) === strip(before) ? 0 : 1))
    found.push(`RFC 3264 8: the version of the answer went by ${step}`)
}
