// A seeded fuzzer over the RTCP of a recorder: garbage, cut short, wrong in lengths, counts and order. FUZZ_ROUNDS and FUZZ_SEED as for the
// fuzzer of messages.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Ids, ManualClock, seededIds } from '#kernel'
import { OutgoingStream, RtcpSession } from '#media'
import {
  buildBye,
  buildFeedback,
  buildReceiverReport,
  buildSdes,
  buildSenderReport,
  compoundRtcp,
  parseRtcp,
} from '#rtp'

const firstSeed = Number(process.env['FUZZ_SEED'] ?? 20_261_122)
const rounds = 100 * Number(process.env['FUZZ_ROUNDS'] ?? 160)
const OURS = 7
const THEIRS = 9

/** A report block about our stream (RFC 3550 section 6.4.1). */
const BLOCK = {
  ssrc: OURS,
  fractionLost: 1,
  cumulativeLost: 2,
  highestSequence: 3,
  jitter: 4,
  lastSenderReport: 5,
  delaySinceLastSenderReport: 6,
}

/** A compound as a well-behaved recorder sends it. */
function honest(random: Ids): Uint8Array {
  const sender = {
    ssrc: THEIRS,
    ntpSeconds: 1,
    ntpFraction: 2,
    rtpTimestamp: 3,
    packetCount: 4,
    octetCount: 5,
    reports: [BLOCK],
  }
  const parts = [
    random.integer(2) === 0 ? buildReceiverReport(THEIRS, [BLOCK]) : buildSenderReport(sender),
    buildSdes({ ssrc: THEIRS, cname: 'recorder' }),
  ]
  if (random.integer(4) === 0) parts.push(buildFeedback({ type: 'picture-loss', ssrc: THEIRS, mediaSsrc: OURS }))
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

test(`fuzz: ${rounds} compounds of a recorder that are broken at random do not throw, and a whole one is counted after each`, () => {
  const clock = new ManualClock()
  const stream = new OutgoingStream({ ssrc: OURS, firstSequence: 1, firstTimestamp: 1, cname: 'c' }, 1)
  let refused = 0
  for (let seed = firstSeed; seed < firstSeed + rounds; seed += 1) {
    const random = seededIds(Math.imul(seed, 0x9e3779b1))
    const asked: string[] = []
    const session = new RtcpSession({
      stream,
      clock,
      random: () => 0.5,
      minimumMs: 5000,
      onFeedback: ({ type }) => void asked.push(type),
      send: () => {},
    })
    let bytes = honest(random)
    for (let count = 1 + random.integer(3); count > 0 && bytes.length > 0; count -= 1) {
      bytes = mutations[random.integer(mutations.length)]!(bytes, random)
    }
    const where = `seed ${seed}: ${Buffer.from(bytes).toString('hex')}`
    assert.doesNotThrow(() => session.onDatagram(bytes), where)
    if (parseRtcp(bytes).length === 0) refused += 1
    const before = session.receiverReports
    assert.ok(before <= bytes.length / 24, `${before} reports: ${where}`)
    session.onDatagram(compoundRtcp([buildReceiverReport(THEIRS, [BLOCK]), buildSdes({ ssrc: THEIRS, cname: 'r' })]))
    assert.equal(session.receiverReports, before + 1, where)
  }
  assert.ok(refused > rounds / 10, `${refused} were refused`)
})
