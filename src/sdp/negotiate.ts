// What offer and answer have in common (RFC 3264 sections 6 and 7).

import { codecsOf, type SdpCodec } from './codec.ts'
import { directionOf, receives, sends } from './direction.ts'
import type { LocalMedia } from './local-description.ts'
import { labelOf, type SdpMedia, type SessionDescription } from './session-description.ts'

const NOT_AUDIO = ['TELEPHONE-EVENT', 'CN']

/** Offered codecs that we support, in the offerer's order and with its payload types; none if only tones or comfort noise remain. */
export function negotiateCodecs(offered: readonly SdpCodec[], supported: readonly string[]): SdpCodec[] {
  const known = new Set(supported.map((encoding) => encoding.toUpperCase()))
  const common = offered.filter((codec) => known.has(codec.encoding))
  return common.some((codec) => !NOT_AUDIO.includes(codec.encoding.split('/')[0]!)) ? common : []
}

/** The slot that refuses an offered media description; its label is repeated. */
export function refusedMedia(offered: SdpMedia): LocalMedia {
  const label = labelOf(offered)
  const { kind, protocol, formats } = offered
  return {
    kind,
    port: 0,
    protocol,
    formats,
    codecs: [],
    direction: 'inactive',
    ...(label === undefined ? {} : { label }),
  }
}

/** What makes `answer` no legal answer to `offer`; empty if nothing does. */
export function answerProblems(offer: SessionDescription, answer: SessionDescription): string[] {
  const problems: string[] = []
  if (answer.media.length !== offer.media.length) {
    problems.push(`answer has ${answer.media.length} media descriptions, offer has ${offer.media.length}`)
  }
  for (const [index, offered] of offer.media.entries()) {
    const answered = answer.media[index]
    const problem = answered && mediaProblem(offered, offer, answered, answer)
    if (problem !== undefined) problems.push(`media ${index + 1}: ${problem}`)
  }
  return problems
}

function mediaProblem(
  offered: SdpMedia,
  offer: SessionDescription,
  answered: SdpMedia,
  answer: SessionDescription,
): string | undefined {
  if (answered.kind !== offered.kind) return 'another kind of media'
  if (answered.port === 0) return undefined
  if (offered.port === 0) return 'accepted though offered with port 0'
  if (answered.protocol.toUpperCase() !== offered.protocol.toUpperCase()) return 'another transport protocol'
  const mine = directionOf(offered, offer)
  const theirs = directionOf(answered, answer)
  if ((sends(theirs) && !receives(mine)) || (receives(theirs) && !sends(mine))) {
    return `direction ${theirs} does not answer ${mine}`
  }
  const encodings = new Set(codecsOf(offered).map((codec) => codec.encoding))
  const answeredCodecs = codecsOf(answered)
  const isShared = answeredCodecs.length === 0 || answeredCodecs.some((codec) => encodings.has(codec.encoding))
  return isShared ? undefined : 'no codec of the offer'
}
