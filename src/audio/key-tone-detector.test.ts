import assert from 'node:assert/strict'
import test from 'node:test'
import { fixture } from '../../test/harness/fixtures.ts'
import { decodePcmu, encodePcmu } from './g711.ts'
import { KeyToneDetector } from './key-tone-detector.ts'
import { tone } from './tone.ts'
import { readWav } from './wav.ts'

const FRAME = 160

function speech(name: string): Int16Array {
  const wav = readWav(fixture(`speech/${name}.wav`))
  assert.ok(wav.ok)
  return decodePcmu(encodePcmu(wav.value.samples[0]!))
}

function soundingFrames(samples: Int16Array): number[] {
  const detector = new KeyToneDetector()
  const frames: number[] = []
  for (let at = 0; at + FRAME <= samples.length; at += FRAME) {
    if (detector.feed(samples.subarray(at, at + FRAME))) frames.push(at / FRAME)
  }
  return frames
}

test('RTP-22: less than 1 % of speech is taken for a key', () => {
  for (const name of ['caller', 'agent', 'digits']) {
    const samples = speech(name)
    const frames = soundingFrames(samples)
    assert.ok(frames.length * FRAME < samples.length / 100, `${name}: frames ${frames.join(' ')}`)
  }
})

test('RTP-22: every key is found within 20 ms, also 1.5 % off, 6 dB twisted, and over speech', () => {
  const under = speech('caller')
  for (const [off, twist] of [
    [1, 1],
    [1, 0.5],
    [1, 2],
    [0.985, 1],
    [1.015, 1],
  ] as const) {
    for (const lowHz of [697, 770, 852, 941]) {
      for (const highHz of [1209, 1336, 1477, 1633]) {
        const low = tone(lowHz * off, 60, 8000, 4000)
        const high = tone(highHz * off, 60, 8000, 4000 * twist)
        const samples = under.slice(16_000, 16_000 + 10 * FRAME).map((sample) => sample / 4)
        for (const [index, sample] of low.entries()) samples[2 * FRAME + 50 + index]! += sample + high[index]!
        const frames = soundingFrames(samples)
        assert.ok(frames.includes(3), `${lowHz} + ${highHz} Hz, ${off}, ${twist}: found in ${frames.join(' ')}`)
        assert.ok((frames[0] ?? 0) >= 2)
      }
    }
  }
})

test('a single tone, two of one group, and a faint key are none', () => {
  const both = (aHz: number, bHz: number, amplitude: number): Int16Array => {
    const b = tone(bHz, 100, 8000, amplitude)
    return tone(aHz, 100, 8000, amplitude).map((sample, index) => sample + b[index]!)
  }
  assert.deepEqual(soundingFrames(tone(941, 100)), [])
  assert.deepEqual(soundingFrames(both(697, 852, 4000)), [])
  assert.deepEqual(soundingFrames(both(425, 2000, 4000)), [])
  assert.deepEqual(soundingFrames(both(941, 1336, 60)), [])
  assert.notDeepEqual(soundingFrames(both(941, 1336, 400)), [])
})
