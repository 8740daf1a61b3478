// Mutations of RTCP, seeded: what a broken or hostile recorder might send as its reports.

import type { Ids } from '#kernel'
import {
  buildBye,
  buildFeedback,
  buildReceiverReport,
  buildSdes,
  buildSenderReport,
  compoundRtcp,
  type ReportBlock,
} from '#rtp'

/** SSRC of the recorder in its reports. */
const THEIRS = 9

/** A report block about a stream of ours (RFC 3550 section 6.4.1). */
const blockAbout = (ssrc: number): ReportBlock => ({
  ssrc,
  fractionLost: 1,
  cumulativeLost: 2,
  highestSequence: 3,
  jitter: 4,
  lastSenderReport: 5,
  delaySinceLastSenderReport: 6,
})

/** A receiver report about a stream of ours, with a name. */
export function wholeReport(ssrc: number): Uint8Array {
  return compoundRtcp([buildReceiverReport(THEIRS, [blockAbout(ssrc)]), buildSdes({ ssrc: THEIRS, cname: 'recorder' })])
}

/** A compound as a well-behaved recorder sends it. */
function honest(random: Ids, ours: number): Uint8Array {
  const reports = [blockAbout(ours)]
  const sender = {
    ssrc: THEIRS,
    ntpSeconds: 1,
    ntpFraction: 2,
    rtpTimestamp: 3,
    packetCount: 4,
    octetCount: 5,
    reports,
  }
  const parts = [
    random.integer(2) === 0 ? buildReceiverReport(THEIRS, reports) : buildSenderReport(sender),
    buildSdes({ ssrc: THEIRS, cname: 'recorder' }),
  ]
  if (random.integer(4) === 0) parts.push(buildFeedback({ type: 'picture-loss', ssrc: THEIRS, mediaSsrc: ours }))
  if (random.integer(8) === 0) parts.push(buildBye(THEIRS))
  return compoundRtcp(parts)
}

type Mutation = (bytes: Uint8Array, random: Ids) => Uint8Array

const at = (bytes: Uint8Array, random: Ids): number => random.integer(Math.max(1, bytes.length))

const mutations: readonly Mutation[] = [
  (bytes, random) => bytes.slice(0, at(bytes, random)),
  (bytes, random) => Uint8Array.from([...bytes, ...bytes.slice(at(bytes, random))]),
  (bytes, random) => bytes.fill(random.integer(256), at(bytes, random)),
  // Another version, count, type or length of the packet that begins there, or of what is none.
  (bytes, random) => bytes.with(4 * random.integer(Math.max(1, bytes.length >> 2)), random.integer(256)),
  (bytes, random) => bytes.with(0, 0x80 | random.integer(64)),
  (bytes, random) => bytes.with(Math.min(3, bytes.length - 1), random.integer(256)),
  (bytes, random) => bytes.with(at(bytes, random), random.integer(256)),
  (bytes) => bytes.toReversed(),
  (_, random) => Uint8Array.from({ length: 4 + random.integer(200) }, () => random.integer(256)),
]

/** A compound about a stream of ours that is broken in one to three ways. */
export function mangledReport(random: Ids, ours: number): Uint8Array {
  let bytes = honest(random, ours)
  for (let count = 1 + random.integer(3); count > 0 && bytes.length > 0; count -= 1) {
    bytes = mutations[random.integer(mutations.length)]!(bytes, random)
  }
  return bytes
}
