import assert from 'node:assert/strict'
import test from 'node:test'
import { buildFeedback, type RtcpFeedback } from './feedback.ts'
import { buildReceiverReport, compoundRtcp, parseRtcp } from './rtcp.ts'

const ASKED: readonly RtcpFeedback[] = [
  { type: 'picture-loss', ssrc: 0xfedcba98, mediaSsrc: 0x80000001 },
  {
    type: 'full-intra',
    ssrc: 1,
    requests: [
      { ssrc: 0xffffffff, command: 255 },
      { ssrc: 3, command: 0 },
    ],
  },
  {
    type: 'nack',
    ssrc: 1,
    mediaSsrc: 2,
    lost: [
      { sequence: 0xffff, following: 0x8001 },
      { sequence: 0, following: 0 },
    ],
  },
]

test('what a receiver asks is read as it was written, behind a report', () => {
  const compound = compoundRtcp([buildReceiverReport(1, []), ...ASKED.map(buildFeedback)])
  assert.deepEqual(parseRtcp(compound).slice(1), ASKED)
})

test('RFC 4585 section 6.3.1: a picture loss indication is three words', () => {
  const bytes = buildFeedback({ type: 'picture-loss', ssrc: 0x01020304, mediaSsrc: 0x05060708 })
  assert.deepEqual([...bytes], [0x81, 206, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8])
})

test('feedback cut short, or of another kind, is none of these', () => {
  assert.deepEqual(parseRtcp(Uint8Array.of(0x81, 206, 0, 1, 0, 0, 0, 1)), [{ type: 'other', packetType: 206 }])
  const remb = Uint8Array.of(0x8f, 206, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0, 82, 69, 77, 66)
  assert.deepEqual(parseRtcp(remb), [{ type: 'other', packetType: 206 }])
})
