import assert from 'node:assert/strict'
import test from 'node:test'
import { decodePcmu, encodePcmu, goertzelPower, rmsDbfs, tone } from '#audio'
import { ManualClock } from '#kernel'
import { CodecTable } from './codec.ts'
import { Fork } from './fork.ts'
import { ForkMixer } from './fork-mixer.ts'
import { Gate } from './gate.ts'
import { headerOffset, type MediaPacket, newMediaPacket, SourceIds } from './media-packet.ts'
import { OutgoingStream } from './outgoing-stream.ts'
import { PacketMemory } from './packet-memory.ts'

const FRAME = 160
const HZ = { a: 400, b: 1000 }
const SSRC = { a: 0xa, b: 0xb }
type Name = keyof typeof HZ

interface Sent {
  readonly sequence: number
  readonly timestamp: number
  readonly atMs: number
  readonly csrcs: readonly number[]
  readonly samples: Int16Array
}

/** Two talkers whose packets memories keep, and a mixed fork that comes late. */
class Stage {
  readonly clock = new ManualClock()
  readonly gate = Gate.create(true)
  readonly sent: Sent[] = []
  readonly replays: { fromMs: number; toMs: number; packets: number }[] = []
  readonly memories = { a: new PacketMemory(60_000), b: new PacketMemory(60_000) }
  readonly fork: Fork
  readonly mixer: ForkMixer
  isAllowed = true
  #frame = 0

  constructor() {
    const ids = new SourceIds()
    const stream = new OutgoingStream({ ssrc: 7, firstSequence: 65_500, firstTimestamp: 0xffffff00, cname: 'c' }, 900)
    const port = {
      send: (header: { sequence: number; timestamp: number }, packet: MediaPacket) => {
        this.sent.push(sentOf(header, packet, this.clock.nowMs()))
        return true
      },
    }
    this.fork = new Fork('f', stream, this.gate, port, this.clock, {
      onFirstPacket: () => {},
      onReplayed: (fromMs, toMs, packets) => void this.replays.push({ fromMs, toMs, packets }),
    })
    this.fork.awaitReplay()
    this.mixer = new ForkMixer(this.fork, this.clock, ids, () => {})
    const sourceOf = (name: Name) => [name, { ssrc: SSRC[name], cname: name }] as const
    this.mixer.setSources(new Map([sourceOf('a'), sourceOf('b')]))
  }

  /** Lets frames pass in which these speak. */
  talk(frames: number, ...names: Name[]): void {
    for (let i = 0; i < frames; i++) {
      for (const name of names) {
        const packet = this.#packet(name)
        this.mixer.takerOf(name)?.copy(packet, this.clock.nowMs())
        this.memories[name].copy(packet, this.clock.nowMs())
      }
      this.#frame++
      this.clock.advance(20)
    }
  }

  begin(fromMs = 0): void {
    this.fork.connect(new CodecTable([{ encoding: 'PCMU/8000', receivePayloadType: 0, sendPayloadType: 0 }]))
    this.fork.replay([], () => this.isAllowed)
    const nowMs = this.clock.nowMs()
    const tapped = (['a', 'b'] as const).flatMap((key) =>
      this.memories[key].since(fromMs, nowMs).map((packet) => ({ key, packet })),
    )
    this.mixer.replay(
      tapped.sort((x, y) => x.packet.atMs - y.packet.atMs),
      () => this.isAllowed,
    )
  }

  #packet(name: Name): MediaPacket {
    const samples = tone(HZ[name], 40).subarray(80, 240)
    const bytes = new Uint8Array(20 + FRAME)
    bytes.set(encodePcmu(samples), 20)
    return {
      ...newMediaPacket(),
      bytes,
      payloadOffset: 20,
      payloadLength: FRAME,
      sourceId: SSRC[name],
      extendedSequence: this.#frame,
      timestamp: this.#frame * FRAME,
    }
  }
}

function sentOf(header: { sequence: number; timestamp: number }, packet: MediaPacket, atMs: number): Sent {
  const view = new DataView(packet.bytes.buffer, packet.bytes.byteOffset + headerOffset(packet) + 12)
  const csrcs = Array.from({ length: packet.csrcCount }, (_unused, index) => view.getUint32(4 * index))
  const payload = packet.bytes.slice(packet.payloadOffset, packet.payloadOffset + packet.payloadLength)
  return { sequence: header.sequence, timestamp: header.timestamp, atMs, csrcs, samples: decodePcmu(payload) }
}

function assertContinuous(sent: readonly Sent[]): void {
  for (const [index, { sequence, timestamp }] of sent.slice(1).entries()) {
    const before = sent[index]!
    assert.equal((sequence - before.sequence) & 0xffff, 1, `sequence at ${index}`)
    assert.equal((timestamp - before.timestamp) >>> 0, FRAME, `time at ${index}`)
  }
}

/** Which of the two tones a frame has. */
function heard({ samples }: Sent): string {
  if (rmsDbfs(samples) < -60) return ''
  return (['a', 'b'] as const).filter((name) => goertzelPower(samples, 8000, HZ[name]) > 0.3).join('')
}

/** The frames that have sound, each run of equals as one. */
function runs(sent: readonly Sent[]): { readonly who: string; readonly frames: number }[] {
  const found: { who: string; frames: number }[] = []
  for (const who of sent.map(heard)) {
    const last = found.at(-1)
    if (last?.who === who) last.frames++
    else found.push({ who, frames: 1 })
  }
  return found
}

test('a late mixed fork is sent the mix of what was said, eight times faster, each with who spoke, and goes on live without a seam', () => {
  const stage = new Stage()
  stage.talk(50, 'a')
  stage.talk(50, 'b')
  stage.talk(50, 'a', 'b')
  assert.equal(stage.sent.length, 0)
  const beganAtMs = stage.clock.nowMs()
  stage.begin()
  stage.talk(50, 'a', 'b')
  assertContinuous(stage.sent)
  assert.equal(stage.replays.length, 1)
  const { packets, fromMs, toMs } = stage.replays[0]!
  assert.ok(packets > 150 && packets < 180, `${packets} frames`)
  assert.ok(fromMs <= 20 && toMs > beganAtMs)
  const reached = stage.sent.find(({ timestamp }) => ((timestamp - stage.sent[0]!.timestamp) >>> 0) / FRAME >= 149)!
  assert.ok(reached.atMs - beganAtMs <= 3000 / 8 + 40, `${reached.atMs - beganAtMs} ms for three seconds`)
  const said = runs(stage.sent).filter(({ who, frames }) => who !== '' && frames > 2)
  assert.deepEqual(
    said.map(({ who }) => who),
    ['a', 'b', 'ab'],
  )
  assert.ok(
    said.every(({ frames }, index) => Math.abs(frames - [50, 50, 98][index]!) <= 3),
    JSON.stringify(said),
  )
  for (const frame of stage.sent.filter((each) => heard(each).length === 2)) {
    assert.deepEqual([...frame.csrcs].sort(), [SSRC.a, SSRC.b])
  }
  const first = stage.sent.find((each) => heard(each) === 'a')
  assert.deepEqual(first?.csrcs, [SSRC.a])
})

test('the clock of the stream says when each frame was said: the pace of arrival does not matter', () => {
  const stage = new Stage()
  stage.talk(100, 'a')
  stage.begin()
  stage.talk(30, 'a')
  const live = stage.sent.at(-1)!
  const first = stage.sent[0]!
  assert.ok(Math.abs(live.atMs - ((live.timestamp - first.timestamp) >>> 0) / 8) <= 40)
})

for (const how of ['the memory is forgotten', 'the gate shuts'] as const) {
  test(`not one remembered frame is sent once ${how}, and what is said then is not mixed with it`, () => {
    const stage = new Stage()
    stage.talk(100, 'a')
    stage.begin()
    stage.clock.advance(60)
    const before = stage.sent.length
    assert.ok(before > 5 && before < 60, `${before} frames`)
    if (how === 'the gate shuts') stage.gate.shut()
    else stage.isAllowed = false
    stage.mixer.endReplay()
    stage.fork.endReplay()
    stage.talk(30, 'b')
    stage.gate.open(stage.gate.epoch)
    stage.talk(30, 'b')
    assert.ok(stage.sent.length > before)
    assert.ok(stage.sent.slice(before).every((frame) => !heard(frame).includes('a')))
    assert.equal(stage.replays.length, 1)
    assert.ok(runs(stage.sent).some(({ who, frames }) => who === 'b' && frames > 20))
  })
}

test('without anything remembered a mixed fork begins with the present', () => {
  const stage = new Stage()
  stage.begin()
  stage.talk(30, 'a')
  assertContinuous(stage.sent)
  assert.equal(stage.replays.length, 0)
  assert.ok(runs(stage.sent).some(({ who, frames }) => who === 'a' && frames > 25))
})
