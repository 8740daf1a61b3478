import assert from 'node:assert/strict'
import { test } from 'node:test'
import { audioDecoder } from './decoder.ts'
import { encodePcma, encodePcmu } from './g711.ts'
import { loadOpusLibrary } from './opus-library.ts'

test('an encoding is decoded at its own rate, and one that is not known has no decoder', () => {
  assert.equal(audioDecoder('G722/8000')?.sampleRateHz, 16_000)
  assert.equal(audioDecoder('PCMU/16000')?.sampleRateHz, 16_000)
  assert.equal(audioDecoder('L16/44100/1')?.sampleRateHz, 44_100)
  for (const encoding of ['G729/8000', 'L16/8000/2', 'PCMU/0', 'PCMU', '']) {
    assert.equal(audioDecoder(encoding), undefined, encoding)
  }
})

test('samples of G.711 and of linear PCM in network byte order', () => {
  const samples = Int16Array.of(0, 1000, -1000, 32_000)
  const near = (decoded: Int16Array | undefined) =>
    decoded?.every((value, index) => Math.abs(value - samples[index]!) <= Math.abs(samples[index]!) / 16 + 8)
  assert.ok(near(audioDecoder('PCMU/8000')?.decode(encodePcmu(samples))))
  assert.ok(near(audioDecoder('PCMA/8000')?.decode(encodePcma(samples))))
  assert.deepEqual(audioDecoder('L16/8000')?.decode(Uint8Array.of(0x03, 0xe8, 0xfc, 0x18)), Int16Array.of(1000, -1000))
})

test('Opus is decoded at 16 kHz where its library is given', async () => {
  assert.equal(audioDecoder('OPUS/48000/2'), undefined)
  assert.equal(audioDecoder('OPUS/48000/2', await loadOpusLibrary())?.sampleRateHz, 16_000)
})
