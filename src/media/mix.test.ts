import assert from 'node:assert/strict'
import test from 'node:test'
import { decodePcma, decodePcmu, encodePcmu, goertzelPower, tone } from '#audio'
import { type Clock, ManualClock } from '#kernel'
import { buildBye, buildSdes, parseRtcp, type RtpHeader, writeRtpHeader } from '#rtp'
import { Beat } from './beat.ts'
import { CodecTable, type StreamCodec } from './codec.ts'
import { Conference } from './conference.ts'
import { CopyQueue } from './copy-queue.ts'
import { Fork } from './fork.ts'
import { ForkMixer } from './fork-mixer.ts'
import { Gate } from './gate.ts'
import { type MediaPacket, SourceIds } from './media-packet.ts'
import { OutgoingStream } from './outgoing-stream.ts'
import { RelayLeg } from './relay.ts'

const PCMU: StreamCodec = { encoding: 'PCMU/8000', receivePayloadType: 0, sendPayloadType: 0 }
const PCMA: StreamCodec = { encoding: 'PCMA/8000', receivePayloadType: 8, sendPayloadType: 8 }
const EVENT: StreamCodec = { encoding: 'TELEPHONE-EVENT/8000', receivePayloadType: 101, sendPayloadType: 101 }
const FRAME = 160
const AT_ONCE = new CopyQueue((turn) => turn())
const QUIET = { onFirstPacket: () => {}, onDigit: () => {}, onCopyFault: () => {} }
const OWN_SSRC = 500

interface Sent extends RtpHeader {
  readonly payload: Uint8Array
  readonly csrcs: readonly number[]
  readonly atMs: number
}

function sentOf(header: RtpHeader, packet: MediaPacket, atMs: number): Sent {
  const { bytes, payloadOffset, payloadLength, csrcCount } = packet
  const csrcs = Array.from({ length: csrcCount }, (_unused, index) =>
    Buffer.from(bytes).readUInt32BE(payloadOffset - 4 * (csrcCount - index)),
  )
  return { ...header, payload: bytes.slice(payloadOffset, payloadOffset + payloadLength), csrcs, atMs }
}

/** A party that speaks a tone of a whole number of periods in each frame. */
class Party {
  readonly leg: RelayLeg
  readonly heard: Sent[] = []
  readonly ssrc: number
  readonly #clock: ManualClock
  readonly #payload: Uint8Array
  #sequence = 65_530

  constructor(clock: ManualClock, ids: SourceIds, ssrc: number, frequencyHz: number, codecs: readonly StreamCodec[]) {
    this.#clock = clock
    this.ssrc = ssrc
    this.#payload = encodePcmu(tone(frequencyHz, 40, 8000, 20_000).subarray(80, 240))
    const port = {
      send: (header: RtpHeader, packet: MediaPacket) => {
        this.heard.push(sentOf(header, packet, clock.nowMs()))
        return true
      },
      aim: () => {},
    }
    const stream = new OutgoingStream(
      { ssrc, firstSequence: 65_530, firstTimestamp: 0xffffff00, cname: `c${ssrc}` },
      ids.next(),
    )
    this.leg = new RelayLeg(stream, ids, port, AT_ONCE, QUIET)
    this.leg.configure({ remote: { host: '192.0.2.1', port: 4 }, codecs, send: true, receive: true }, 0)
  }

  speak(payload = this.#payload, payloadType = 0, timestamp = this.#sequence * FRAME): void {
    const bytes = new Uint8Array(12 + payload.length)
    const sequence = this.#sequence++ & 0xffff
    writeRtpHeader(bytes, 0, { payloadType, marker: false, sequence, timestamp, ssrc: this.ssrc })
    bytes.set(payload, 12)
    this.leg.onDatagram(bytes, '192.0.2.1', 4, this.#clock.nowMs())
  }

  rtcp(compound: Uint8Array): void {
    for (const packet of parseRtcp(compound)) this.leg.incoming.onRtcp(packet, this.#clock.nowMs())
  }
}

class Stage {
  readonly clock = new ManualClock()
  readonly ids = new SourceIds()
  readonly gate = Gate.create(true)
  readonly sent: Sent[] = []
  readonly gone: number[] = []
  readonly fork: Fork
  readonly #parties: Party[] = []

  constructor(codecs: readonly StreamCodec[] = [PCMU]) {
    const stream = new OutgoingStream({ ssrc: OWN_SSRC, firstSequence: 7, firstTimestamp: 0, cname: 'own' }, 900)
    const port = {
      send: (header: RtpHeader, packet: MediaPacket) => {
        this.sent.push(sentOf(header, packet, this.clock.nowMs()))
        return true
      },
    }
    this.fork = new Fork('f', stream, this.gate, port, this.clock, { onFirstPacket: () => {}, onReplayed: () => {} })
    this.fork.connect(new CodecTable(codecs))
  }

  party(ssrc: number, frequencyHz: number, codecs: readonly StreamCodec[] = [PCMU, EVENT]): Party {
    const party = new Party(this.clock, this.ids, ssrc, frequencyHz, codecs)
    this.#parties.push(party)
    return party
  }

  mixer(...parties: Party[]): ForkMixer {
    const mixer = new ForkMixer(this.fork, this.clock, this.ids, (csrcs) => this.gone.push(...csrcs))
    this.mix(mixer, ...parties)
    return mixer
  }

  mix(mixer: ForkMixer, ...parties: Party[]): void {
    mixer.setSources(new Map(parties.map(({ leg, ssrc }) => [`${ssrc}`, leg.incoming])))
    for (const { leg, ssrc } of this.#parties) {
      const taker = mixer.takerOf(`${ssrc}`)
      leg.taps.received = taker === undefined ? [] : [taker]
    }
  }

  /** Lets frames pass in which these parties speak. */
  frames(count: number, ...speaking: Party[]): void {
    for (let frame = 0; frame < count; frame++) {
      for (const party of speaking) party.speak()
      this.clock.advance(20)
    }
  }
}

function shareOf(sent: readonly Sent[], frequencyHz: number): number {
  return goertzelPower(decodePcmu(Buffer.concat(sent.map(({ payload }) => payload))), 8000, frequencyHz)
}

function assertContinuous(sent: readonly Sent[]): void {
  for (const [index, { sequence, timestamp, ssrc }] of sent.entries()) {
    const before = sent[index - 1]
    if (before === undefined) continue
    assert.equal(ssrc, before.ssrc)
    assert.equal(sequence, (before.sequence + 1) & 0xffff)
    assert.equal((timestamp - before.timestamp) | 0, FRAME)
  }
}

test('RTP-13: a mix is one stream of its own that never stops, and its CSRC list says who speaks', () => {
  const stage = new Stage()
  const [a, b] = [stage.party(11, 400), stage.party(12, 700)]
  stage.mixer(a, b)
  stage.frames(5)
  stage.frames(10, a)
  stage.frames(5)
  stage.frames(10, a, b)
  stage.frames(5)
  assertContinuous(stage.sent)
  assert.equal(stage.sent.length, 35)
  assert.ok(stage.sent.every(({ ssrc }) => ssrc === OWN_SSRC))
  const spoke = stage.sent.map(({ csrcs }) => csrcs.join())
  assert.deepEqual(spoke, [
    ...Array(6).fill(''),
    ...Array(10).fill('11'),
    ...Array(5).fill(''),
    ...Array(10).fill('11,12'),
    ...Array(4).fill(''),
  ])
  const both = stage.sent.slice(21, 31)
  assert.ok(shareOf(both, 400) > 0.4 && shareOf(both, 700) > 0.4)
})

test('RTP-13: an SSRC that collides with ours or with that of another contributor is rewritten', () => {
  const stage = new Stage()
  const [a, b] = [stage.party(OWN_SSRC, 400), stage.party(OWN_SSRC + 1, 700)]
  const mixer = stage.mixer(a, b)
  stage.frames(5, a, b)
  assert.deepEqual(stage.sent.at(-1)?.csrcs, [OWN_SSRC + 1, OWN_SSRC + 2])
  assert.deepEqual(
    mixer.names.map(({ ssrc }) => ssrc),
    [OWN_SSRC + 1, OWN_SSRC + 2],
  )
})

test('RTP-10, RTP-14: contributors keep their CNAME unless it names somebody, and their BYE is passed on once', () => {
  const stage = new Stage()
  const [a, b] = [stage.party(11, 400), stage.party(12, 700)]
  const mixer = stage.mixer(a, b)
  stage.frames(3, a, b)
  a.rtcp(buildSdes({ ssrc: 11, cname: 'J5k2Lm0pQrStUvWx' }))
  b.rtcp(buildSdes({ ssrc: 12, cname: 'alice@192.0.2.7' }))
  assert.deepEqual(mixer.names, [
    { ssrc: 11, cname: 'J5k2Lm0pQrStUvWx' },
    { ssrc: 12, cname: 'c12-party' },
  ])
  a.rtcp(buildBye(11))
  stage.frames(3, b)
  assert.deepEqual(stage.gone, [11])
  stage.mix(mixer)
  assert.deepEqual(stage.gone, [11, 12])
  assert.deepEqual(mixer.names, [])
})

test('the sum is saturated, and goes in the law that the recorder takes', () => {
  const stage = new Stage([PCMA])
  const loud = encodePcmu(new Int16Array(FRAME).fill(30_000))
  const [a, b] = [stage.party(11, 400), stage.party(12, 400)]
  stage.mixer(a, b)
  for (let frame = 0; frame < 4; frame++) {
    a.speak(loud)
    b.speak(loud)
    stage.clock.advance(20)
  }
  const last = stage.sent.at(-1)!
  assert.equal(last.payloadType, 8)
  assert.ok(decodePcma(last.payload).every((sample) => sample > 31_000))
})

test('contributors come and go without a jump in SSRC, sequence and clock', () => {
  const stage = new Stage()
  const [a, b] = [stage.party(11, 400), stage.party(12, 700)]
  const mixer = stage.mixer(a)
  stage.frames(10, a, b)
  stage.mix(mixer, a, b)
  stage.frames(10, a, b)
  stage.mix(mixer, b)
  stage.frames(10, a, b)
  assertContinuous(stage.sent)
  assert.deepEqual(stage.sent[9]?.csrcs, [11])
  assert.deepEqual(stage.sent[19]?.csrcs, [11, 12])
  assert.deepEqual(stage.sent[29]?.csrcs, [12])
})

test('SRC-36: what was said while the gate was shut never comes out, not even its last frame', () => {
  const stage = new Stage()
  const a = stage.party(11, 400)
  stage.mixer(a)
  stage.frames(5, a)
  stage.gate.shut()
  const before = stage.sent.length
  stage.frames(10, a)
  assert.equal(stage.sent.length, before)
  assert.equal(stage.fork.held, 10)
  a.speak()
  stage.gate.open(stage.gate.epoch)
  stage.clock.advance(60)
  const after = stage.sent.slice(before)
  assert.ok(after.length >= 2)
  assert.ok(after.every(({ payload }) => payload.every((byte) => byte === 0xff)))
  assert.equal(after[0]?.sequence, (stage.sent[before - 1]!.sequence + 1) & 0xffff)
})

test('RTP-21, RTP-22: a key goes into the mix as one event with one time, and not at all when it is masked', () => {
  const stage = new Stage([PCMU, EVENT])
  const [a, b] = [stage.party(11, 400), stage.party(12, 700)]
  const mixer = stage.mixer(a, b)
  stage.frames(5, a, b)
  const press = (): void => {
    for (const [flags, duration] of [
      [10, 1],
      [10, 2],
      [0x8a, 3],
      [0x8a, 3],
    ] as const) {
      a.speak(Uint8Array.of(5, flags, duration, 0), 101, 77_777)
      stage.frames(1, b)
    }
  }
  press()
  const events = stage.sent.filter(({ payloadType }) => payloadType === 101)
  assert.equal(events.length, 4)
  assert.equal(new Set(events.map(({ timestamp }) => timestamp)).size, 1)
  mixer.maskDtmf(true)
  press()
  assert.equal(stage.sent.filter(({ payloadType }) => payloadType === 101).length, 4)
  assert.equal(mixer.masked, 4)
  for (const [index, { sequence }] of stage.sent.entries()) assert.equal(sequence, (7 + index) & 0xffff)
})

test('three parties: each hears the two others and not itself, at most 40 ms later, in its own law', () => {
  const stage = new Stage()
  const parties = [stage.party(11, 400), stage.party(12, 700), stage.party(13, 1100, [PCMA, PCMU])]
  const conference = new Conference(
    parties.map(({ leg }) => leg),
    stage.clock,
    stage.ids,
  )
  stage.clock.advance(13)
  stage.frames(25, ...parties)
  const spokenAtMs = 13
  for (const [index, { heard }] of parties.entries()) {
    assertContinuous(heard)
    const decode = index === 2 ? decodePcma : decodePcmu
    const samples = decode(Buffer.concat(heard.slice(5).map(({ payload }) => payload)))
    const shares = [400, 700, 1100].map((frequencyHz) => goertzelPower(samples, 8000, frequencyHz))
    for (const [of, share] of shares.entries())
      assert.ok(of === index ? share < 0.01 : share > 0.4, `${index}: ${shares}`)
    const first = heard.find(({ payload }) => decode(payload).some((sample) => Math.abs(sample) > 1000))
    assert.ok((first?.atMs ?? Number.POSITIVE_INFINITY) - spokenAtMs <= 40)
    assert.ok(heard.every(({ payloadType }) => payloadType === (index === 2 ? 8 : 0)))
  }
  for (const { leg } of parties) conference.leave(leg)
  assert.deepEqual(stage.clock.pendingNames(), [])
})

test('SIP-25: a key of one party reaches the others as one event, and not itself', () => {
  const stage = new Stage()
  const [a, b, c] = [stage.party(11, 400), stage.party(12, 700), stage.party(13, 1100)]
  new Conference([a.leg, b.leg, c.leg], stage.clock, stage.ids)
  stage.frames(3, b, c)
  for (const [flags, duration] of [
    [10, 1],
    [0x8a, 2],
    [0x8a, 2],
    [0x8a, 2],
  ] as const) {
    a.speak(Uint8Array.of(9, flags, duration, 0), 101, 1234)
    stage.frames(1, b, c)
  }
  const eventsOf = ({ heard }: Party) => heard.filter(({ payloadType }) => payloadType === 101)
  assert.equal(eventsOf(a).length, 0)
  for (const party of [b, c]) {
    assert.equal(eventsOf(party).length, 4)
    assert.equal(new Set(eventsOf(party).map(({ timestamp }) => timestamp)).size, 1)
  }
})

test('who leaves hears nothing more, the others go on, and a prompt is heard alone', () => {
  const stage = new Stage()
  const [a, b, c] = [stage.party(11, 400), stage.party(12, 700), stage.party(13, 1100)]
  const conference = new Conference([a.leg, b.leg, c.leg], stage.clock, stage.ids)
  stage.frames(5, a, b, c)
  b.leg.isPlaying = true
  const before = b.heard.length
  stage.frames(5, a, b, c)
  assert.equal(b.heard.length, before)
  b.leg.isPlaying = false
  conference.leave(c.leg)
  const heardByC = c.heard.length
  stage.frames(10, a, b, c)
  assert.equal(c.heard.length, heardByC)
  assert.ok(shareOf(a.heard.slice(-5), 700) > 0.95)
  assert.ok(shareOf(b.heard.slice(-5), 400) > 0.95)
})

test('a thread that stood still makes up for its frames once it has read what waits', () => {
  let nowMs = 0
  let fire = (): void => {}
  const clock: Clock = {
    nowMs: () => nowMs,
    wallMs: () => nowMs,
    after: (_delayMs, _name, next) => {
      fire = next
      return { cancel: () => {} }
    },
  }
  const frames: number[] = []
  const beat = new Beat(clock, (dueMs) => frames.push(dueMs))
  nowMs = 85
  fire()
  assert.deepEqual(frames, [])
  fire()
  assert.deepEqual(frames, [20, 40, 60, 80])
  nowMs = 10_085
  fire()
  fire()
  assert.deepEqual(frames.slice(4), [10_080])
  beat.stop()
})
