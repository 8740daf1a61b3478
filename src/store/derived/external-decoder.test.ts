import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { externalCodec } from './external-decoder.ts'

const amr = externalCodec('AMR/8000')!

test('G.729: whole frames only, comfort noise is left out', () => {
  const codec = externalCodec('G729/8000')!
  assert.deepEqual(codec.frames(new Uint8Array(20)).samples, 160)
  assert.deepEqual([codec.frames(new Uint8Array(22)).bytes.length, codec.frames(new Uint8Array(2)).samples], [20, 0])
})

test('AMR: an octet-aligned payload of two frames, and a bandwidth-efficient one of silence', () => {
  const two = Uint8Array.of(0xf0, 0xbc, 0x3c, ...new Array<number>(62).fill(7))
  const { bytes, samples } = amr.frames(two)
  assert.deepEqual([bytes.length, bytes[0], bytes[32], samples], [64, 0x3c, 0x3c, 320])
  // CMR 15, one frame of type 8 (39 bits of comfort noise): 4 + 6 + 39 bits.
  const sid = Uint8Array.of(0xf4, 0x40, 0, 0, 0, 0, 0)
  assert.deepEqual([amr.frames(sid).bytes.length, amr.frames(sid).samples], [6, 160])
})

test('AMR-WB: an octet-aligned payload of two frames of 23.85 kbit/s, and a bandwidth-efficient one of silence', () => {
  const wide = externalCodec('AMR-WB/16000/1')!
  // Each of type 8 (477 bits): CMR 15, two heads, 2 x 60 bytes.
  const { bytes, samples } = wide.frames(Uint8Array.of(0xf0, 0xc4, 0x44, ...new Array<number>(120).fill(7)))
  assert.deepEqual([bytes.length, bytes[0], bytes[61], samples, wide.sampleRateHz], [122, 0x44, 0x44, 640, 16_000])
  // CMR 15, one frame of type 9 (40 bits of comfort noise): 4 + 6 + 40 bits.
  const silence = wide.frames(Uint8Array.of(0xf4, 0xc0, 0, 0, 0, 0, 0))
  assert.deepEqual([silence.bytes.length, silence.samples], [6, 320])
})

test('AMR: what is no payload gives no frames, and never throws', () => {
  assert.deepEqual(amr.frames(new Uint8Array(0)), { bytes: new Uint8Array(0), samples: 0 })
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (payload) => {
      const { bytes, samples } = amr.frames(payload)
      return samples % 160 === 0 && bytes.length >= samples / 160
    }),
  )
})

test('what nobody decodes has no codec', () => {
  assert.equal(externalCodec('EVRC/8000'), undefined)
  assert.equal(externalCodec('SPEEX/16000'), undefined)
})
