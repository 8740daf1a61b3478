import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { redundantBlocks } from './redundancy.ts'

test('a packet with one redundant block, as RFC 2198 section 3 lays it out', () => {
  // F=1, PT 5, offset 160 (0x00a0 << 2), length 3; then F=0, PT 0.
  const packet = Uint8Array.of(0x85, 0x02, 0x80, 0x03, 0x00, 1, 2, 3, 9, 8)
  assert.deepEqual(redundantBlocks(packet), [
    { payloadType: 5, timestampOffset: 160, payload: Uint8Array.of(1, 2, 3) },
    { payloadType: 0, timestampOffset: 0, payload: Uint8Array.of(9, 8) },
  ])
})

test('a packet without redundancy, and the largest offset and length', () => {
  assert.deepEqual(redundantBlocks(Uint8Array.of(8, 7)), [
    { payloadType: 8, timestampOffset: 0, payload: Uint8Array.of(7) },
  ])
  const large = new Uint8Array(5 + 1023)
  large.set([0xff, 0xff, 0xff, 0xff, 0x7f])
  const [block] = redundantBlocks(large) ?? []
  assert.deepEqual([block?.payloadType, block?.timestampOffset, block?.payload.length], [127, 16_383, 1023])
})

test('a header or block that is cut off is no packet, and nothing throws', () => {
  for (const bytes of [[], [0x85], [0x85, 2, 0x80], [0x85, 2, 0x80, 3], [0x85, 2, 0x80, 3, 0, 1, 2]]) {
    assert.equal(redundantBlocks(Uint8Array.from(bytes)), undefined)
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => redundantBlocks(bytes) !== null))
})
