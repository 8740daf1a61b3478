// A seeded fuzzer over the RTCP of a recorder: garbage, cut short, wrong in lengths, counts and order. FUZZ_ROUNDS and FUZZ_SEED as for the
// fuzzer of messages.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock, seededIds } from '#kernel'
import { OutgoingStream, RtcpSession } from '#media'
import { parseRtcp } from '#rtp'
import { mangledReport, wholeReport } from './mangle-rtcp.ts'

const firstSeed = Number(process.env['FUZZ_SEED'] ?? 20_261_122)
const rounds = 100 * Number(process.env['FUZZ_ROUNDS'] ?? 160)
const OURS = 7

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
    const bytes = mangledReport(random, OURS)
    const where = `seed ${seed}: ${Buffer.from(bytes).toString('hex')}`
    assert.doesNotThrow(() => session.onDatagram(bytes), where)
    if (parseRtcp(bytes).length === 0) refused += 1
    const before = session.receiverReports
    assert.ok(before <= bytes.length / 24, `${before} reports: ${where}`)
    session.onDatagram(wholeReport(OURS))
    assert.equal(session.receiverReports, before + 1, where)
  }
  assert.ok(refused > rounds / 10, `${refused} were refused`)
})
