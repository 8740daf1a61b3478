import assert from 'node:assert/strict'
import test from 'node:test'
import { type Endpoint, ManualClock } from '#kernel'
import {
  newRtpView,
  parseRtcp,
  parseRtp,
  type RtcpPacket,
  type RtpHeader,
  type TelephoneEvent,
  writeRtpHeader,
} from '#rtp'
import { CodecTable } from './codec.ts'
import { CopyQueue, clockBehindCopies } from './copy-queue.ts'
import { Fork } from './fork.ts'
import { Gate } from './gate.ts'
import { type MediaPacket, SourceIds } from './media-packet.ts'
import { OutgoingStream } from './outgoing-stream.ts'
import { PromptPlayer } from './prompt-player.ts'
import { RelayLeg } from './relay.ts'
import { RtcpSession } from './rtcp-session.ts'

const PCMU = { encoding: 'PCMU/8000', receivePayloadType: 0, sendPayloadType: 0 }
const SILENT = { onFirstPacket: () => {}, onReplayed: () => {} }
const PARTY = { host: '192.0.2.1', port: 4000 }

interface Sent extends RtpHeader {
  readonly payload: readonly number[]
}

/** In-memory twin of a socket. */
class RecordingPort {
  readonly sent: Sent[] = []
  readonly aims: { readonly target: Endpoint | undefined; readonly locked: boolean }[] = []
  /** Memory that the system would still have to read. */
  readonly queued: Uint8Array[] = []
  isSlow = false
  onSend: () => void = () => {}

  send(header: RtpHeader, packet: MediaPacket): boolean {
    const { bytes, payloadOffset, payloadLength } = packet
    writeRtpHeader(bytes, payloadOffset - 12, header)
    this.sent.push({ ...header, payload: [...bytes.subarray(payloadOffset, payloadOffset + payloadLength)] })
    if (this.isSlow) {
      this.queued.push(bytes)
      packet.bytes = Uint8Array.from(bytes)
    }
    this.onSend()
    return true
  }

  aim(target: Endpoint | undefined, locked: boolean): void {
    this.aims.push({ target, locked })
  }
}

class Stage {
  readonly #turns: (() => void)[] = []
  readonly copies = new CopyQueue((turn) => void this.#turns.push(turn))
  readonly faults: unknown[] = []
  readonly clock = new ManualClock()
  readonly ids = new SourceIds()
  readonly digits: TelephoneEvent[] = []
  #ssrc = 1000

  stream(): OutgoingStream {
    const identity = { ssrc: this.#ssrc++, firstSequence: 10, firstTimestamp: 0, cname: 'cname' }
    return new OutgoingStream(identity, this.ids.next())
  }

  leg(): { leg: RelayLeg; port: RecordingPort } {
    const port = new RecordingPort()
    const leg = new RelayLeg(this.stream(), this.ids, port, this.copies, {
      onFirstPacket: () => {},
      onDigit: (event) => void this.digits.push(event),
      onCopyFault: (fault) => void this.faults.push(fault),
    })
    leg.configure({ remote: PARTY, codecs: [PCMU], send: true, receive: true }, this.clock.nowMs())
    return { leg, port }
  }

  fork(gate = Gate.create(true)): { fork: Fork; port: RecordingPort; gate: Gate } {
    const port = new RecordingPort()
    const fork = new Fork('f', this.stream(), gate, port, this.clock, SILENT)
    fork.connect(new CodecTable([PCMU]))
    return { fork, port, gate }
  }

  /** A packet of the party, and the turn of the worker in which it comes, over to its end. */
  speak(leg: RelayLeg, sequence: number, ssrc = 5, payload?: readonly number[]): void {
    this.arrive(leg, sequence, ssrc, payload)
    while (this.turn());
  }

  /** The sockets have been read: one turn of copies; false when none was asked for. */
  turn(): boolean {
    const turn = this.#turns.shift()
    turn?.()
    return turn !== undefined
  }

  arrive(leg: RelayLeg, sequence: number, ssrc = 5, payload: readonly number[] = [sequence & 0xff]): void {
    const bytes = new Uint8Array(12 + payload.length)
    writeRtpHeader(bytes, 0, { payloadType: 0, marker: false, sequence, timestamp: sequence * 160, ssrc })
    bytes.set(payload, 12)
    leg.onDatagram(bytes, PARTY.host, PARTY.port, this.clock.nowMs())
  }
}

function bridged(stage: Stage): { a: ReturnType<Stage['leg']>; b: ReturnType<Stage['leg']> } {
  const [a, b] = [stage.leg(), stage.leg()]
  a.leg.peer = b.leg
  b.leg.peer = a.leg
  return { a, b }
}

test('RTP-28: repeated packets and strays are not relayed', () => {
  const stage = new Stage()
  const { a, b } = bridged(stage)
  for (const sequence of [1, 2, 2, 30_000, 3]) stage.speak(a.leg, sequence)
  assert.deepEqual(
    b.port.sent.map((packet) => [packet.sequence, ...packet.payload]),
    [
      [10, 1],
      [11, 2],
      [12, 3],
    ],
  )
  assert.equal(a.leg.received.packets, 3)
})

test('peer defect 9: a packet is looked at by those who copy its own leg, however many other recordings there are', () => {
  const stage = new Stage()
  const looks = new Map<number, number>()
  const legs = Array.from({ length: 200 }, (_unused, index) => {
    const { leg } = stage.leg()
    leg.taps.received = [{ copy: () => void looks.set(index, (looks.get(index) ?? 0) + 1) }]
    return leg
  })
  for (const sequence of [1, 2, 3]) stage.speak(legs[7]!, sequence)
  assert.deepEqual([...looks], [[7, 3]])
})

test('RTP-11: a new SSRC of the party continues our stream by wall time within 20 ms', () => {
  const stage = new Stage()
  const { a, b } = bridged(stage)
  const { fork, port } = stage.fork()
  a.leg.taps.received = [fork]
  stage.speak(a.leg, 1, 5)
  stage.clock.advance(1234)
  stage.speak(a.leg, 40_000, 6)
  for (const { sent } of [b.port, port]) {
    assert.equal(sent[1]!.ssrc, sent[0]!.ssrc)
    assert.equal(sent[1]!.sequence, sent[0]!.sequence + 1)
    assert.equal(sent[1]!.timestamp - sent[0]!.timestamp, 1234 * 8)
  }
})

test('the gate is read before every send: shut by anyone in the middle of a packet, the next fork holds it back', () => {
  const stage = new Stage()
  const { leg } = stage.leg()
  const [first, second] = [stage.fork(), stage.fork()]
  first.port.onSend = () => second.gate.shut()
  leg.taps.received = [first.fork, second.fork]
  stage.speak(leg, 1)
  assert.equal(first.port.sent.length, 1)
  assert.equal(second.port.sent.length, 0)
  assert.equal(second.fork.held, 1)
})

test('memory that a slow socket still reads is not written to by the others', () => {
  const stage = new Stage()
  const { a, b } = bridged(stage)
  const forks = [stage.fork(), stage.fork(), stage.fork()]
  b.leg.taps.sent = [forks[0]!.fork, forks[1]!.fork]
  a.leg.taps.received = [forks[2]!.fork]
  const ports = [b.port, ...forks.map(({ port }) => port)]
  for (const port of ports) port.isSlow = true
  stage.arrive(a.leg, 1)
  while (stage.turn());
  const ssrcs = ports.map((port) => {
    const view = newRtpView()
    assert.ok(parseRtp(port.queued[0]!, view))
    assert.equal(port.queued[0]![view.payloadOffset], 1)
    return view.ssrc
  })
  assert.deepEqual(
    ssrcs,
    ports.map((port) => port.sent[0]!.ssrc),
  )
  assert.equal(new Set(ssrcs).size, 4)
})

test('what waits in the sockets of all legs goes to the parties before anything is copied, and the copies keep their order', () => {
  const stage = new Stage()
  const { a, b } = bridged(stage)
  const { fork, port } = stage.fork()
  const order: string[] = []
  for (const [name, one] of Object.entries({ a: a.port, b: b.port, fork: port })) one.onSend = () => order.push(name)
  a.leg.taps.received = [fork]
  for (const sequence of [1, 2, 3]) stage.arrive(a.leg, sequence)
  stage.arrive(b.leg, 900)
  assert.deepEqual(order, ['b', 'b', 'b', 'a'])
  while (stage.turn());
  assert.deepEqual(order.slice(4), ['fork', 'fork', 'fork'])
  assert.deepEqual(
    port.sent.map(({ payload }) => payload),
    [[1], [2], [3]],
  )
  assert.equal(stage.copies.size, 0)
})

test('a copy that waits behind a gate shut meanwhile is held back and counted, and leaves no hole', () => {
  const stage = new Stage()
  const { leg } = stage.leg()
  const { fork, port, gate } = stage.fork()
  leg.taps.received = [fork]
  stage.speak(leg, 1)
  stage.arrive(leg, 2)
  gate.shut()
  stage.copies.flush()
  assert.deepEqual([port.sent.length, fork.held, stage.copies.size], [1, 1, 0])
  gate.open(gate.epoch)
  while (stage.turn());
  assert.equal(port.sent.length, 1)
  stage.speak(leg, 3)
  assert.equal(port.sent[1]!.sequence, port.sent[0]!.sequence + 1)
})

test('a flood of copies is made in turns, between which parties are heard, and none is left out', () => {
  const stage = new Stage()
  const { a, b } = bridged(stage)
  const { fork, port } = stage.fork()
  a.leg.taps.received = [fork]
  for (let sequence = 0; sequence < 1500; sequence++) stage.arrive(a.leg, sequence)
  assert.equal(b.port.sent.length, 1500)
  assert.equal(stage.copies.size, 1024)
  assert.equal(port.sent.length, 1500 - 1024)
  stage.turn()
  assert.equal(stage.copies.size, 1024 - 16)
  while (stage.turn());
  assert.deepEqual(
    port.sent.map(({ sequence }) => sequence),
    Array.from({ length: 1500 }, (_, index) => 10 + index),
  )
})

test('a bug in one copy costs neither the call nor the other copies', () => {
  const stage = new Stage()
  const { a, b } = bridged(stage)
  const { fork, port } = stage.fork()
  const broken = {
    copy: () => {
      throw new Error('a bug')
    },
  }
  a.leg.taps.received = [broken, fork]
  for (const sequence of [1, 2]) stage.speak(a.leg, sequence)
  assert.deepEqual([b.port.sent.length, port.sent.length, stage.faults.length], [2, 2, 2])
})

test('what a fork sends by itself comes behind the copies that wait, unless it is called off meanwhile', () => {
  const stage = new Stage()
  const { a } = bridged(stage)
  const order: string[] = []
  a.leg.taps.received = [{ copy: () => void order.push('copy') }]
  const clock = clockBehindCopies(stage.clock, stage.copies, () => {})
  clock.after(5, 'beat', () => void order.push('beat'))
  const off = clock.after(5, 'off', () => void order.push('off'))
  stage.arrive(a.leg, 1)
  stage.clock.advance(5)
  assert.deepEqual(order, [])
  off.cancel()
  while (stage.turn());
  assert.deepEqual(order, ['copy', 'beat'])
})

test('a fork copies nothing before the recorder answered', () => {
  const stage = new Stage()
  const { leg } = stage.leg()
  const port = new RecordingPort()
  leg.taps.received = [new Fork('f', stage.stream(), Gate.create(true), port, stage.clock, SILENT)]
  stage.speak(leg, 1)
  assert.equal(port.sent.length, 0)
})

test('what is sent to a party is tapped after rewriting: prompt and peer are one source', () => {
  const stage = new Stage()
  const { a, b } = bridged(stage)
  const { fork, port } = stage.fork()
  a.leg.taps.sent = [fork]
  const ends: string[] = []
  const audio = { pcmu: new Uint8Array(300).fill(7), pcma: new Uint8Array(300).fill(8) }
  new PromptPlayer(a.leg, audio, stage.clock, stage.ids, (how) => ends.push(how))
  stage.speak(b.leg, 500)
  stage.clock.advance(40)
  assert.deepEqual(ends, ['finished'])
  stage.speak(b.leg, 501)
  assert.deepEqual(
    a.port.sent.map((packet) => [packet.sequence, packet.timestamp, packet.payload.length, packet.payload[0]]),
    [
      [10, 0, 160, 7],
      [11, 160, 160, 7],
      [12, 320, 1, 501 & 0xff],
    ],
  )
  assert.deepEqual(a.port.sent[1]!.payload.slice(139, 142), [7, 0xff, 0xff], 'the last frame is filled with silence')
  assert.deepEqual(
    port.sent.map((packet) => [packet.sequence, packet.timestamp, packet.payload.length]),
    a.port.sent.map((packet) => [packet.sequence, packet.timestamp, packet.payload.length]),
  )
})

test('a prompt catches up when its timer was late, and ends once', () => {
  const stage = new Stage()
  const { leg, port } = stage.leg()
  const ends: string[] = []
  const audio = { pcmu: new Uint8Array(1600), pcma: new Uint8Array(1600) }
  const player = new PromptPlayer(leg, audio, stage.clock, stage.ids, (how) => ends.push(how))
  stage.clock.advance(99)
  assert.equal(port.sent.length, 5)
  player.stop()
  player.stop()
  stage.clock.advance(1000)
  assert.equal(port.sent.length, 5)
  assert.deepEqual(ends, ['stopped'])
})

test('the socket is locked to the source that spoke, and unlocked when it fell silent', () => {
  const stage = new Stage()
  const { leg, port } = stage.leg()
  assert.deepEqual(port.aims, [{ target: PARTY, locked: false }])
  stage.speak(leg, 1)
  stage.speak(leg, 2)
  assert.deepEqual(port.aims.slice(1), [{ target: PARTY, locked: true }])
  stage.clock.advance(500)
  leg.sweep(stage.clock.nowMs(), 10_000)
  assert.deepEqual(port.aims.slice(2), [{ target: PARTY, locked: false }])
  stage.speak(leg, 27)
  assert.deepEqual(port.aims.slice(3), [{ target: PARTY, locked: true }])
})

test('silence is reported once, and again only after the party spoke', () => {
  const stage = new Stage()
  const { leg } = stage.leg()
  const sweepAfter = (ms: number): number | undefined => {
    stage.clock.advance(ms)
    return leg.sweep(stage.clock.nowMs(), 10_000)
  }
  assert.equal(sweepAfter(9999), undefined)
  assert.equal(sweepAfter(1), 10_000)
  assert.equal(sweepAfter(10_000), undefined)
  stage.speak(leg, 1)
  assert.equal(sweepAfter(10_000), 10_000)
})

test('a party of which only RTCP comes is not silent', () => {
  const stage = new Stage()
  const { leg } = stage.leg()
  stage.speak(leg, 1)
  for (let i = 0; i < 10; i++) {
    stage.clock.advance(5000)
    leg.onSignOfLife(stage.clock.nowMs())
    assert.equal(leg.sweep(stage.clock.nowMs(), 10_000), undefined)
  }
  stage.clock.advance(10_000)
  assert.equal(leg.sweep(stage.clock.nowMs(), 10_000), 10_000)
})

function rtcpOf(stage: Stage, leg: RelayLeg): { session: RtcpSession; said: RtcpPacket[][] } {
  const said: RtcpPacket[][] = []
  const session = new RtcpSession({
    stream: leg.outgoing,
    incoming: leg.incoming,
    clock: stage.clock,
    random: () => 0.5,
    minimumMs: 5000,
    send: (datagram) => void said.push(parseRtcp(datagram)),
  })
  return { session, said }
}

test('RTP-05, RTP-16: reports go on at their interval, SR while sending, RR when nothing was sent for two of them', () => {
  const stage = new Stage()
  const { a, b } = bridged(stage)
  const { session, said } = rtcpOf(stage, a.leg)
  session.start()
  session.start()
  stage.speak(b.leg, 1)
  stage.speak(a.leg, 1)
  stage.clock.advance(2053)
  assert.deepEqual(
    said.map((compound) => compound.map((packet) => packet.type)),
    [['sender-report', 'sdes']],
  )
  const report = said[0]?.[0]
  assert.ok(report?.type === 'sender-report')
  assert.equal(report.packetCount, 1)
  assert.equal(report.reports[0]?.ssrc, 5)
  assert.ok(Math.abs(report.rtpTimestamp - 2052 * 8) <= 8, 'the RTP time of the moment of the report')
  stage.clock.advance(3 * 4104)
  assert.deepEqual(
    said.map((compound) => compound[0]?.type),
    ['sender-report', 'sender-report', 'receiver-report', 'receiver-report'],
  )
})

test('RTP-16: BYE closes a compound when anything was ever sent, and nothing comes after it', () => {
  const stage = new Stage()
  const silent = rtcpOf(stage, stage.leg().leg)
  silent.session.start()
  silent.session.close()
  assert.equal(silent.said.length, 0)
  const { a, b } = bridged(stage)
  const { session, said } = rtcpOf(stage, a.leg)
  session.start()
  stage.speak(b.leg, 1)
  session.close()
  stage.clock.advance(60_000)
  assert.deepEqual(
    said.map((compound) => compound.map((packet) => packet.type)),
    [['sender-report', 'sdes', 'bye']],
  )
})
