import assert from 'node:assert/strict'
import test from 'node:test'
import { fixture } from '../../test/harness/fixtures.ts'
import { correlate } from './correlate.ts'
import { G722Decoder } from './g722.ts'
import { HalfBandDecimator } from './half-band.ts'
import { narrowbandDecoder, silence } from './narrowband.ts'
import { rmsDbfs, tone } from './tone.ts'
import { readWav } from './wav.ts'

const SPEECH = fixture('speech/caller.g722')
const FRAME = 160

function decodeFrames(payload: Uint8Array): Int16Array {
  const decode = narrowbandDecoder('G722/8000')
  assert.ok(decode !== undefined)
  const samples = new Int16Array(payload.length)
  for (let at = 0; at < payload.length; at += FRAME) samples.set(decode(payload.subarray(at, at + FRAME)), at)
  return samples
}

test('G.722 that another encoder made is the speech that went in', () => {
  const wav = readWav(fixture('speech/caller.wav'))
  assert.ok(wav.ok)
  const original = wav.value.samples[0]!.subarray(0, SPEECH.length)
  // The filters are half a sample out of step with the original, which costs its highest frequencies some likeness.
  const { coefficient, lagSamples } = correlate(original, decodeFrames(SPEECH), 100)
  assert.ok(coefficient > 0.93, `correlation ${coefficient}`)
  assert.ok(lagSamples > 0 && lagSamples <= 40, `${lagSamples} samples late`)
})

test('what is fed in frames sounds as what is fed at once', () => {
  const whole = new G722Decoder().decode(SPEECH)
  assert.equal(whole.length, SPEECH.length * 2)
  assert.deepEqual(decodeFrames(SPEECH), new HalfBandDecimator().decimate(whole))
})

test('any bytes decode, and the decoder recovers from them', () => {
  const decode = narrowbandDecoder('G722/8000')
  assert.ok(decode !== undefined)
  const noise = Uint8Array.from({ length: 8000 }, (_unused, index) => (index * 7919) >> 3)
  decode(noise)
  const quiet = new Uint8Array(800)
  silence('G722/8000', quiet)
  decode(quiet)
  assert.ok(rmsDbfs(decode(quiet)) < -50)
})

test('the half-band filter keeps speech and takes away what would fold back', () => {
  const level = (frequencyHz: number): number => {
    const output = new HalfBandDecimator().decimate(tone(frequencyHz, 200, 16_000))
    return rmsDbfs(output.subarray(200, 1400)) - rmsDbfs(tone(frequencyHz, 200, 16_000).subarray(400, 2800))
  }
  for (const frequencyHz of [300, 1000, 2000, 3400]) {
    assert.ok(Math.abs(level(frequencyHz)) < 0.5, `${frequencyHz} Hz changes by ${level(frequencyHz)} dB`)
  }
  for (const frequencyHz of [4700, 5500, 7000]) {
    assert.ok(level(frequencyHz) < -50, `${frequencyHz} Hz is ${level(frequencyHz)} dB`)
  }
})

test('silence is quiet in every encoding', () => {
  for (const encoding of ['PCMU/8000', 'PCMA/8000', 'G722/8000']) {
    const decode = narrowbandDecoder(encoding)
    const payload = new Uint8Array(1600).fill(0x33)
    silence(encoding, payload)
    assert.ok(rmsDbfs(decode!(payload).subarray(400)) < -50, encoding)
  }
  assert.equal(narrowbandDecoder('OPUS/48000/2'), undefined)
})
