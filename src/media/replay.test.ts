import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { type Clock, ManualClock } from '#kernel'
import type { RtpHeader } from '#rtp'
import { CodecTable } from './codec.ts'
import { Fork } from './fork.ts'
import { Gate } from './gate.ts'
import { type MediaPacket, newMediaPacket } from './media-packet.ts'
import { OutgoingStream } from './outgoing-stream.ts'
import { PacketMemory } from './packet-memory.ts'

const CODECS = new CodecTable([{ encoding: 'PCMU/8000', receivePayloadType: 0, sendPayloadType: 0 }])
const FRAME_MS = 20

interface Sent extends RtpHeader {
  /** Number of the frame that it carries. */
  readonly frame: number
  readonly atMs: number
}

/** A talker whose packets a memory keeps and a fork may copy. */
class Stage {
  readonly clock = new ManualClock()
  readonly memory = new PacketMemory(60_000)
  readonly gate = Gate.create(true)
  readonly sent: Sent[] = []
  readonly replays: { fromMs: number; toMs: number; packets: number }[] = []
  readonly fork: Fork
  frame = 0
  isAllowed = true
  onSend: () => void = () => {}

  /** `lateMs`: how late timers fire. */
  constructor(firstTimestamp = 0, lateMs = 0) {
    const { clock } = this
    const late: Clock = {
      nowMs: () => clock.nowMs(),
      wallMs: () => clock.wallMs(),
      after: (delayMs, name, fire) => clock.after(delayMs + lateMs, name, fire),
    }
    const stream = new OutgoingStream({ ssrc: 7, firstSequence: 65_530, firstTimestamp, cname: 'c' }, 1)
    const port = { send: (header: RtpHeader, packet: MediaPacket) => this.#onSend(header, packet) }
    this.fork = new Fork('f', stream, this.gate, port, late, {
      onFirstPacket: () => {},
      onReplayed: (fromMs, toMs, packets) => void this.replays.push({ fromMs, toMs, packets }),
    })
    this.fork.awaitReplay()
  }

  talk(frames: number): void {
    for (let i = 0; i < frames; i++) {
      this.speak()
      this.clock.advance(FRAME_MS)
    }
  }

  speak(): void {
    const bytes = new Uint8Array(20 + 160).fill(this.frame & 0xff)
    const packet = { ...newMediaPacket(), bytes, payloadOffset: 20, payloadLength: 160, sourceId: 3 }
    packet.extendedSequence = this.frame
    packet.timestamp = this.frame * 160
    this.frame++
    this.fork.copy(packet, this.clock.nowMs())
    this.memory.copy(packet, this.clock.nowMs())
    bytes.fill(0)
  }

  replay(fromMs = 0): void {
    this.fork.connect(CODECS)
    assert.equal(this.fork.isReadyToReplay, true)
    this.fork.replay(this.memory.since(fromMs, this.clock.nowMs()), () => this.isAllowed)
  }

  #onSend(header: RtpHeader, packet: MediaPacket): boolean {
    this.sent.push({ ...header, frame: packet.bytes[packet.payloadOffset]!, atMs: this.clock.nowMs() })
    this.onSend()
    return true
  }
}

/** Every frame once, in order, with one sequence and at its place on the clock. */
function assertWhole(sent: readonly Sent[], firstFrame: number): void {
  for (const [index, packet] of sent.entries()) {
    assert.equal(packet.frame, (firstFrame + index) & 0xff)
    assert.equal((packet.sequence - sent[0]!.sequence) & 0xffff, index)
    assert.equal((packet.timestamp - sent[0]!.timestamp) | 0, index * 160)
  }
}

test('what was remembered is sent first, at eight times real time, and live packets follow at their place on the clock', () => {
  const stage = new Stage(0xffffff00)
  stage.talk(400)
  assert.equal(stage.sent.length, 0)
  stage.replay()
  stage.talk(10)
  const pace = stage.sent.length
  assert.ok(pace > 75 && pace <= 85, `${pace} packets in 200 ms`)
  stage.talk(90)
  assertWhole(stage.sent, 0)
  assert.equal(stage.sent.length, 500)
  assert.deepEqual(stage.replays.length, 1)
  const { fromMs, toMs, packets } = stage.replays[0]!
  assert.equal(fromMs, 0)
  assert.equal(toMs, (packets - 1) * FRAME_MS)
  assert.ok(packets > 400 && packets < 470)
  assert.equal(stage.fork.replayed, packets)
  const live = stage.sent.at(-1)!
  assert.equal(live.atMs, 499 * FRAME_MS, 'RTP-25: once caught up, live packets do not wait')
})

test('RTP-25: a fork that has nothing to replay copies at once', () => {
  const stage = new Stage()
  stage.talk(50)
  stage.replay(stage.clock.nowMs())
  stage.talk(5)
  assert.deepEqual(
    stage.sent.map(({ atMs, frame }) => atMs - frame * FRAME_MS),
    [0, 0, 0, 0, 0],
  )
  assert.deepEqual(stage.replays, [])
})

test('a gate shut in the middle stops a replay for good, and what waited is held back', () => {
  const stage = new Stage()
  stage.talk(400)
  stage.replay()
  stage.talk(10)
  stage.gate.shut()
  const before = stage.sent.length
  stage.talk(2)
  stage.fork.cancelReplay()
  stage.gate.open(stage.gate.epoch)
  assert.equal(stage.sent.length, before)
  assert.equal(stage.fork.held, 412 - before)
  stage.talk(10)
  const after = stage.sent.slice(before)
  assert.deepEqual(
    after.map(({ frame }) => frame),
    Array.from({ length: 10 }, (_, index) => (412 + index) & 0xff),
  )
  assert.equal((after[0]!.sequence - stage.sent[before - 1]!.sequence) & 0xffff, 1)
  assert.equal(after[0]!.timestamp - stage.sent[0]!.timestamp, 412 * 160, 'the cut shows on the clock')
  assert.equal(stage.replays[0]?.packets, before)
})

test('a gate shut before a replay begins forgets it', () => {
  const stage = new Stage()
  stage.talk(100)
  stage.fork.connect(CODECS)
  stage.fork.cancelReplay()
  assert.equal(stage.fork.isReadyToReplay, false)
  stage.talk(3)
  assert.deepEqual(
    stage.sent.map(({ frame }) => frame),
    [100, 101, 102],
  )
})

test('what is forgotten in the middle of a step is not sent, not even the next packet of that step', () => {
  const stage = new Stage()
  stage.talk(300)
  stage.onSend = () => {
    if (stage.sent.length === 20) stage.isAllowed = false
  }
  stage.replay()
  stage.talk(20)
  assert.equal(stage.sent[19]?.frame, 19)
  assert.ok(stage.sent[20]!.frame !== 20, 'the twentieth was the last out of memory')
  assert.equal(stage.replays[0]?.packets, 20)
})

test('a memory keeps no more than its time, its packets and its bytes', () => {
  const count = (keepMs: number, frames: number, bytes: number, everyMs: number): number => {
    const memory = new PacketMemory(keepMs)
    const packet = { ...newMediaPacket(), bytes: new Uint8Array(12 + bytes), payloadOffset: 12, payloadLength: bytes }
    for (let i = 0; i < frames; i++) memory.copy(packet, i * everyMs)
    return memory.since(0, (frames - 1) * everyMs).length
  }
  assert.equal(count(2000, 1000, 160, 20), 101)
  assert.equal(count(600_000, 10_000, 160, 20), 3001, 'a minute at most')
  assert.equal(count(60_000, 20_000, 10, 1), 6000)
  assert.equal(count(60_000, 5000, 1400, 10), 1497, '2 MiB')
})

test('a late timer does not flood the recorder', () => {
  const stage = new Stage(0, 200)
  stage.talk(300)
  const bursts = new Map<number, number>()
  stage.onSend = () => bursts.set(stage.clock.nowMs(), (bursts.get(stage.clock.nowMs()) ?? 0) + 1)
  stage.replay()
  stage.clock.advance(9000)
  assert.equal(Math.max(...bursts.values()), 16)
  assert.equal(stage.sent.length, 300)
})

test('whatever happens in between, nothing forgotten or held back is ever sent, and order and clock are kept', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('talk' as const), frames: fc.integer({ min: 1, max: 60 }) }),
    fc.record({ kind: fc.constant('forget' as const), frames: fc.constant(0) }),
    fc.record({ kind: fc.constant('shut' as const), frames: fc.integer({ min: 0, max: 30 }) }),
  )
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 250 }), fc.array(step, { maxLength: 8 }), (before, steps) => {
      const stage = new Stage()
      stage.talk(before)
      stage.replay()
      /** Frames before this one must not come any more. */
      let oldest = 0
      const seen: { readonly index: number; readonly oldest: number }[] = []
      for (const { kind, frames } of steps) {
        if (kind === 'talk') stage.talk(frames)
        if (kind === 'forget') {
          stage.isAllowed = false
          stage.fork.endReplay()
          oldest = stage.frame
        }
        if (kind === 'shut') {
          stage.gate.shut()
          stage.talk(frames)
          stage.fork.cancelReplay()
          stage.gate.open(stage.gate.epoch)
          oldest = stage.frame
        }
        seen.push({ index: stage.sent.length, oldest })
      }
      stage.talk(60)
      const atFrame = (packet: Sent): number => (packet.timestamp - stage.sent[0]!.timestamp) / 160
      for (const { index, oldest } of seen) {
        for (const packet of stage.sent.slice(index)) assert.ok(atFrame(packet) >= oldest)
      }
      for (const [index, packet] of stage.sent.entries()) {
        assert.equal((packet.sequence - 65_530) & 0xffff, index)
        assert.equal(packet.frame, atFrame(packet) & 0xff, 'the clock tells which frame it is')
        assert.ok(packet.atMs >= atFrame(packet) * FRAME_MS, 'nothing is sent before it was said')
      }
      assert.equal(stage.sent.at(-1)?.frame, (stage.frame - 1) & 0xff)
      assert.equal(stage.sent.length + stage.fork.held, stage.frame)
    }),
  )
})
