import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock, seededIds } from '#kernel'
import { parseRtcp, type RtpHeader } from '#rtp'
import { CodecTable } from './codec.ts'
import { Fork } from './fork.ts'
import { Gate } from './gate.ts'
import { newMediaPacket } from './media-packet.ts'
import { OutgoingStream } from './outgoing-stream.ts'
import { RtcpSession } from './rtcp-session.ts'

const PAUSE_MS = 30 * 60_000
/** Shortest time that a NAT may keep a UDP binding of a well-known protocol (RFC 4787 section 4.3); 2 min otherwise. */
const BINDING_MS = 30_000
const SILENT = { onFirstPacket: () => {}, onReplayed: () => {} }
const CODECS = new CodecTable([{ encoding: 'PCMU/8000', receivePayloadType: 0, sendPayloadType: 0 }])

test('RTP-20, FLOW-20, field 21: in a pause of 30 min RTCP keeps the way open, and the stream goes on at its place on the clock', () => {
  const clock = new ManualClock()
  const sent: RtpHeader[] = []
  const reports: { readonly atMs: number; readonly type: string | undefined }[] = []
  const stream = new OutgoingStream({ ssrc: 7, firstSequence: 10, firstTimestamp: 0xfffffff0, cname: 'c' }, 1)
  const gate = Gate.create(true)
  const fork = new Fork('f', stream, gate, { send: (header) => sent.push({ ...header }) > 0 }, clock, SILENT)
  fork.connect(CODECS)
  const ids = seededIds(1)
  const session = new RtcpSession({
    stream,
    clock,
    random: () => ids.integer(1000) / 1000,
    minimumMs: 5000,
    send: (datagram) => void reports.push({ atMs: clock.nowMs(), type: parseRtcp(datagram)[0]?.type }),
  })
  session.start()
  const packet = { ...newMediaPacket(), sourceId: 5, payloadLength: 160 }
  const talk = (ms: number): void => {
    for (let spent = 0; spent < ms; spent += 20) {
      packet.extendedSequence++
      packet.timestamp += 160
      fork.copy(packet, clock.nowMs())
      clock.advance(20)
    }
  }
  talk(2000)
  const before = { ...sent.at(-1)! }
  gate.shut()
  const pausedAtMs = clock.nowMs()
  talk(PAUSE_MS)
  gate.open(gate.epoch)
  const resumedAtMs = clock.nowMs()
  talk(20)
  session.close()
  assert.equal(sent.length, 101)
  const inPause = reports.filter(({ atMs }) => atMs > pausedAtMs && atMs < resumedAtMs)
  const times = [pausedAtMs, ...inPause.map(({ atMs }) => atMs), resumedAtMs]
  const longestMs = Math.max(...times.slice(1).map((atMs, index) => atMs - times[index]!))
  assert.ok(longestMs < BINDING_MS, `${longestMs} ms without a packet`)
  assert.equal(inPause.at(-1)?.type, 'receiver-report', 'who sends nothing is no sender')
  const after = sent[100]!
  assert.equal((after.sequence - before.sequence) & 0xffff, 1)
  assert.equal((after.timestamp - before.timestamp) | 0, (PAUSE_MS + 20) * 8)
  assert.equal(after.ssrc, 7)
})
