import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { ReceptionStats } from './reception-stats.ts'
import { SequenceTracker, timestampDistance } from './sequence.ts'

const kinds = (...sequences: number[]): string[] => {
  const tracker = new SequenceTracker()
  return sequences.map((sequence) => tracker.accept(sequence).kind)
}

test('RTP-28: judges order, gap, late and repeated packets, wrap included', () => {
  assert.deepEqual(kinds(65534, 65535, 0, 1), ['in-order', 'in-order', 'in-order', 'in-order'])
  assert.deepEqual(kinds(10, 13, 11, 11, 13), ['in-order', 'gap', 'reordered', 'duplicate', 'duplicate'])
  assert.deepEqual(kinds(0, 65535), ['in-order', 'reordered'])
})

test('RTP-28: a gap says how many are missing and extended numbers grow over the wrap', () => {
  const tracker = new SequenceTracker()
  tracker.accept(65530)
  assert.deepEqual({ ...tracker.accept(2) }, { extended: 65538, kind: 'gap', missing: 7 })
  assert.equal(tracker.accept(65533).extended, 65533)
})

test('an implausible jump is a restart only when a second packet confirms it (RFC 3550 A.1)', () => {
  const tracker = new SequenceTracker()
  tracker.accept(100)
  assert.equal(tracker.accept(30000).kind, 'stray')
  assert.equal(tracker.accept(101).kind, 'in-order')
  assert.equal(tracker.accept(40000).kind, 'stray')
  const restart = tracker.accept(40001)
  assert.equal(restart.kind, 'restart')
  assert.ok(restart.extended > 65536)
})

test('extended numbers rebuild the order of any shuffled stream', () => {
  fc.assert(
    fc.property(fc.nat(0xffff), fc.array(fc.integer({ min: 1, max: 900 }), { maxLength: 200 }), (start, steps) => {
      const tracker = new SequenceTracker()
      let expected = tracker.accept(start).extended
      for (const step of steps) {
        expected += step
        assert.equal(tracker.accept(expected & 0xffff).extended, expected)
      }
    }),
  )
})

test('timestamp distances are signed and wrap', () => {
  assert.equal(timestampDistance(0xffffffff, 4), 5)
  assert.equal(timestampDistance(4, 0xffffffff), -5)
})

test('RTP-28: loss, fraction and jitter as RFC 3550 A.3 and A.8 define them', () => {
  const stats = new ReceptionStats(7)
  for (let i = 0; i < 10; i++) {
    if (i !== 3 && i !== 4) stats.onPacket(i, 160 * i, 20 * i, 8000)
  }
  assert.equal(stats.lost, 2)
  const first = stats.reportBlock(1000)
  assert.deepEqual(first, {
    ssrc: 7,
    fractionLost: 51,
    cumulativeLost: 2,
    highestSequence: 9,
    jitter: 0,
    lastSenderReport: 0,
    delaySinceLastSenderReport: 0,
  })
  stats.onPacket(10, 1600, 210, 8000)
  assert.equal(stats.jitter, 5)
  assert.equal(stats.reportBlock(1000).fractionLost, 0)
})

test('a restart of the source is no loss, and LSR and DLSR follow its sender report', () => {
  const stats = new ReceptionStats(7)
  for (const [index, sequence] of [1, 2, 30000, 30001, 30002].entries()) {
    stats.onPacket(sequence, 160 * index, 20 * index, 8000)
  }
  assert.equal(stats.lost, 0)
  stats.onSenderReport(0x12345678, 0x9abcdef0, 1000)
  const block = stats.reportBlock(1500)
  assert.equal(block.lastSenderReport, 0x56789abc)
  assert.equal(block.delaySinceLastSenderReport, 32768)
})
