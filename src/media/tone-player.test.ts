import assert from 'node:assert/strict'
import test from 'node:test'
import { decodePcma, decodePcmu, encodePcmu, goertzelPower, rmsDbfs, tone } from '#audio'
import { ManualClock } from '#kernel'
import type { RtpHeader } from '#rtp'
import { payloadOf, type StreamCodec } from './codec.ts'
import { CopyQueue } from './copy-queue.ts'
import { type MediaPacket, newMediaPacket, SourceIds } from './media-packet.ts'
import { OutgoingStream } from './outgoing-stream.ts'
import { RelayLeg } from './relay.ts'
import { TonePlayer } from './tone-player.ts'

const PCMU: StreamCodec = { encoding: 'PCMU/8000', receivePayloadType: 0, sendPayloadType: 0 }
const PCMA: StreamCodec = { encoding: 'PCMA/8000', receivePayloadType: 8, sendPayloadType: 8 }
const G722: StreamCodec = { encoding: 'G722/8000', receivePayloadType: 9, sendPayloadType: 9 }
const BEEP = { frequencyHz: 1400, onMs: 200, everyMs: 1000, levelDbm0: -20 }
const FRAME = 160
const AT_ONCE = new CopyQueue((turn) => turn())
const QUIET = { onFirstPacket: () => {}, onDigit: () => {}, onCopyFault: () => {} }

interface Sent extends RtpHeader {
  readonly payload: Uint8Array
}

/** A leg that is sent to. */
class Stage {
  readonly clock = new ManualClock()
  readonly ids = new SourceIds()
  readonly sent: Sent[] = []
  readonly copied: Uint8Array[] = []
  readonly leg: RelayLeg
  #sequence = 0

  constructor(codecs: readonly StreamCodec[] = [PCMU]) {
    const stream = new OutgoingStream({ ssrc: 7, firstSequence: 65_530, firstTimestamp: 0xffffff00, cname: 'c' }, 1)
    const port = { send: (header: RtpHeader, packet: MediaPacket) => this.#onSend(header, packet), aim: () => {} }
    this.leg = new RelayLeg(stream, this.ids, port, AT_ONCE, QUIET)
    this.leg.configure({ remote: { host: '192.0.2.1', port: 4 }, codecs, send: true, receive: true }, 0)
    this.leg.taps.sent = [{ copy: (packet) => void this.copied.push(payloadOfPacket(packet)) }]
  }

  beep(): TonePlayer {
    return new TonePlayer(this.leg, BEEP, this.clock, this.ids)
  }

  say(samples: Int16Array, encoding = 'PCMU/8000'): MediaPacket {
    const bytes = new Uint8Array(12 + FRAME)
    bytes.set(encodePcmu(samples), 12)
    const packet = { ...newMediaPacket(), bytes, payloadOffset: 12, payloadLength: FRAME, sourceId: 1000 }
    packet.payload = payloadOf(encoding)
    packet.extendedSequence = this.#sequence++
    packet.timestamp = packet.extendedSequence * FRAME
    this.leg.deliver(packet, this.clock.nowMs())
    return packet
  }

  heard(decode = decodePcmu): Int16Array {
    const samples = new Int16Array(this.sent.length * FRAME)
    for (const [index, { payload }] of this.sent.entries()) samples.set(decode(payload), index * FRAME)
    return samples
  }

  #onSend(header: RtpHeader, packet: MediaPacket): boolean {
    this.sent.push({ ...header, payload: payloadOfPacket(packet) })
    return true
  }
}

function payloadOfPacket({ bytes, payloadOffset, payloadLength }: MediaPacket): Uint8Array {
  return bytes.slice(payloadOffset, payloadOffset + payloadLength)
}

function assertContinuous(sent: readonly Sent[]): void {
  for (const [index, packet] of sent.entries()) {
    const before = sent[index - 1] ?? packet
    if (before === packet) continue
    assert.equal((packet.sequence - before.sequence) & 0xffff, 1)
    assert.ok(((packet.timestamp - before.timestamp) | 0) >= FRAME)
  }
}

function beepShare(samples: Int16Array): number {
  return goertzelPower(samples, 8000, BEEP.frequencyHz)
}

test('a line on which nothing is sent beeps: silence with the tone at its level, at its times, every 20 ms', () => {
  const stage = new Stage()
  const player = stage.beep()
  stage.clock.advance(3000)
  player.stop()
  stage.clock.advance(1000)
  assert.ok(stage.sent.length >= 146 && stage.sent.length <= 148, `${stage.sent.length} packets in 3 s`)
  assertContinuous(stage.sent)
  const heard = stage.heard()
  for (const start of [0, 8000, 16_000]) {
    const beep = heard.subarray(start + 80, start + 1500)
    assert.ok(beepShare(beep) > 0.98)
    assert.ok(Math.abs(rmsDbfs(beep) - (-20 - 3.14 - 3.01)) < 0.5, `${rmsDbfs(beep)} dB`)
    assert.equal(rmsDbfs(heard.subarray(start + 1600, start + 7000)), Number.NEGATIVE_INFINITY)
  }
})

test('over speech the tone is added, and what others copy of the speech stays as it was', () => {
  const stage = new Stage()
  stage.beep()
  const speech = tone(300, 20)
  for (let frame = 0; frame < 50; frame++) {
    const packet = stage.say(speech)
    assert.deepEqual(payloadOfPacket(packet), encodePcmu(speech))
    stage.clock.advance(20)
  }
  assert.equal(stage.sent.length, 50, 'nothing is sent beside the speech')
  assertContinuous(stage.sent)
  const heard = stage.heard()
  assert.ok(beepShare(heard.subarray(160, 1440)) > 0.03)
  assert.ok(goertzelPower(heard.subarray(160, 1440), 8000, 300) > 0.5)
  assert.deepEqual(stage.sent[20]?.payload, encodePcmu(speech), 'between beeps it is the speech alone')
  const unmixed = stage.sent.map(() => encodePcmu(speech))
  assert.deepEqual(stage.copied, unmixed, 'UA-19: a fork of what the party is sent has the speech alone')
})

test('speech takes over from an idle line and leaves it again on one stream, and without the tone all is as before', () => {
  const stage = new Stage()
  const player = stage.beep()
  stage.clock.advance(500)
  for (let frame = 0; frame < 10; frame++) {
    stage.say(tone(300, 20))
    stage.clock.advance(20)
  }
  const afterSpeech = stage.sent.length
  stage.clock.advance(500)
  assert.ok(stage.sent.length > afterSpeech + 20)
  assertContinuous(stage.sent)
  player.stop()
  const packet = stage.say(tone(300, 20))
  assert.deepEqual(stage.sent.at(-1)?.payload, payloadOfPacket(packet))
  assertContinuous(stage.sent)
})

test('the tone comes in the law of the leg, and over G.722 as G.711', () => {
  const stage = new Stage([G722, PCMA])
  stage.beep()
  stage.say(tone(300, 20), 'G722/8000')
  stage.clock.advance(300)
  assert.ok(stage.sent.every(({ payloadType }) => payloadType === 8))
  assert.ok(beepShare(stage.heard(decodePcma).subarray(320, 1000)) > 0.9)
})

test('keys pass a tone untouched', () => {
  const stage = new Stage([PCMU, { encoding: 'TELEPHONE-EVENT/8000', receivePayloadType: 101, sendPayloadType: 101 }])
  stage.beep()
  const packet = stage.say(tone(300, 20), 'TELEPHONE-EVENT/8000')
  assert.deepEqual(stage.sent[0]?.payload, payloadOfPacket(packet))
  assert.equal(stage.sent[0]?.payloadType, 101)
})
