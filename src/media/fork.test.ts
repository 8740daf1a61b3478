import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { ManualClock } from '#kernel'
import type { RtpHeader } from '#rtp'
import { CodecTable, payloadOf } from './codec.ts'
import { Fork } from './fork.ts'
import { Gate } from './gate.ts'
import { newMediaPacket } from './media-packet.ts'
import { OutgoingStream } from './outgoing-stream.ts'

const SILENT = { onFirstPacket: () => {}, onReplayed: () => {} }
const PCMU_ONLY = new CodecTable([{ encoding: 'PCMU/8000', receivePayloadType: 0, sendPayloadType: 0 }])
const ENCODINGS = ['PCMU/8000', 'PCMA/8000', 'G722/8000', 'OPUS/48000/2', 'TELEPHONE-EVENT/8000']
const TICKS_PER_MS = 8
/** Longest that a packet waits under a mask, with sweeps 20 ms apart. */
const MASK_HOLD_MS = 80

interface Sent extends RtpHeader {
  readonly atMs: number
}

/** A fork to a recorder that takes PCMU only, fed by sources that come and go. */
class Stage {
  readonly clock = new ManualClock()
  readonly gate = Gate.create(true)
  readonly sent: Sent[] = []
  readonly fork: Fork
  readonly #sources = new Map<number, { sequence: number; startedMs: number; offset: number }>()

  constructor() {
    const stream = new OutgoingStream({ ssrc: 7, firstSequence: 65_500, firstTimestamp: 0xfffff000, cname: 'c' }, 1)
    const port = { send: (header: RtpHeader) => this.sent.push({ ...header, atMs: this.clock.nowMs() }) > 0 }
    this.fork = new Fork('f', stream, this.gate, port, this.clock, SILENT)
    this.fork.connect(PCMU_ONLY)
  }

  wait(ms: number): void {
    for (let spent = 0; spent < ms; spent += 20) {
      this.clock.advance(20)
      this.fork.sweep(this.clock.nowMs())
    }
  }

  /** Three packets of a source, 20 ms each; `lost` of them never come. */
  talk(sourceId: number, encoding: string, lost: number): void {
    const source = this.#sources.get(sourceId) ?? {
      sequence: sourceId * 1000,
      startedMs: 0,
      offset: sourceId * 2 ** 30,
    }
    this.#sources.set(sourceId, source)
    source.sequence += lost
    this.wait(lost * 20)
    for (let i = 0; i < 3; i++) {
      const packet = { ...newMediaPacket(), bytes: new Uint8Array(172).fill(i), payloadOffset: 12, payloadLength: 160 }
      const ticks = (this.clock.nowMs() - source.startedMs) * TICKS_PER_MS
      this.fork.copy(
        {
          ...packet,
          sourceId,
          payload: payloadOf(encoding),
          extendedSequence: source.sequence++,
          timestamp: (source.offset + ticks) >>> 0,
        },
        this.clock.nowMs(),
      )
      this.clock.advance(20)
    }
  }
}

test('RTP-07: keys that the recorder does not take leave no hole, while the mask holds back what came before them', () => {
  const stage = new Stage()
  stage.fork.maskDtmf(true)
  for (const encoding of ['PCMU/8000', 'TELEPHONE-EVENT/8000', 'PCMU/8000']) stage.talk(1, encoding, 0)
  stage.fork.maskDtmf(false)
  stage.talk(1, 'TELEPHONE-EVENT/8000', 0)
  stage.talk(1, 'PCMU/8000', 0)
  const numbers = stage.sent.map(({ sequence }) => sequence)
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => 65_500 + index),
  )
})

test('RTP-07, RTP-11, field 35: over sources, encodings, losses, pauses and masks a fork is one stream on the clock of the wall', () => {
  const action = fc.oneof(
    fc.record({
      kind: fc.constant('talk' as const),
      sourceId: fc.integer({ min: 1, max: 3 }),
      encoding: fc.constantFrom(...ENCODINGS),
      lost: fc.integer({ min: 0, max: 2 }),
    }),
    fc.record({ kind: fc.constantFrom('shut' as const, 'open' as const, 'mask' as const, 'unmask' as const) }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 4000 }) }),
  )
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const stage = new Stage()
      let mostLost = 0
      for (const step of actions) {
        if (step.kind === 'talk') {
          stage.talk(step.sourceId, step.encoding, step.lost)
          mostLost += step.lost
        } else if (step.kind === 'wait') stage.wait(step.ms)
        else if (step.kind === 'shut') stage.gate.shut()
        else if (step.kind === 'open') stage.gate.open(stage.gate.epoch)
        else stage.fork.maskDtmf(step.kind === 'mask')
      }
      let holes = 0
      for (const [index, packet] of stage.sent.entries()) {
        assert.deepEqual([packet.ssrc, packet.payloadType], [7, 0])
        const before = stage.sent[index - 1]
        if (before === undefined) continue
        const step = (packet.sequence - before.sequence) & 0xffff
        const ticks = (packet.timestamp - before.timestamp) | 0
        assert.ok(step >= 1 && step <= 8, `sequence advanced by ${step}`)
        assert.ok(ticks >= 0, `time went back by ${-ticks}`)
        holes += step - 1
      }
      assert.ok(holes <= mostLost, `${holes} holes for ${mostLost} packets that were lost`)
      const [first, last] = [stage.sent[0], stage.sent.at(-1)]
      if (first === undefined || last === undefined) return
      const rtpMs = ((last.timestamp - first.timestamp) | 0) / TICKS_PER_MS
      const offMs = Math.abs(rtpMs - (last.atMs - first.atMs))
      assert.ok(offMs <= MASK_HOLD_MS, `${offMs} ms off`)
    }),
  )
})
