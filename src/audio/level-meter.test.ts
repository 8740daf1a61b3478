import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodePcma, decodePcmu, encodePcma, encodePcmu, PCMA_SILENCE } from './g711.ts'
import { LevelMeter, type SoundWindow } from './level-meter.ts'
import { tone } from './tone.ts'

function windowsOf(samples: Int16Array, sampleRateHz = 8000, step = 160): SoundWindow[] {
  const windows: SoundWindow[] = []
  const meter = new LevelMeter(sampleRateHz, (window) => windows.push(window))
  for (let at = 0; at < samples.length; at += step) meter.add(samples.subarray(at, at + step))
  return windows
}

test('a sine of half the scale is at -6 dBFS at its peak and 3 dB below on average, at any rate', () => {
  for (const rate of [8000, 16_000, 48_000]) {
    const windows = windowsOf(tone(440, 1000, rate, 16_384), rate, 333)
    assert.equal(windows.length, 5)
    const { rmsDbfs, peakDbfs, clippedShare } = windows[2]!
    assert.ok(Math.abs(peakDbfs + 6.02) < 0.1, `peak ${peakDbfs}`)
    assert.ok(Math.abs(rmsDbfs + 9.03) < 0.1, `rms ${rmsDbfs}`)
    assert.equal(clippedShare, 0)
  }
})

test('silence is -100 dBFS in PCMU, and the smallest step in PCMA', () => {
  assert.equal(windowsOf(new Int16Array(1600))[0]!.rmsDbfs, -100)
  const quiet = windowsOf(decodePcma(new Uint8Array(1600).fill(PCMA_SILENCE)))[0]!
  assert.ok(quiet.peakDbfs < -70)
})

test('a voice driven over the limit is clipped in both laws; a loud one is not', () => {
  const driven = tone(440, 200, 8000, 60_000).map((_sample, at) =>
    Math.max(-32_768, Math.min(32_767, Math.round(60_000 * Math.sin((2 * Math.PI * 440 * at) / 8000)))),
  )
  const loud = tone(440, 200, 8000, 28_000)
  for (const law of [(s: Int16Array) => decodePcmu(encodePcmu(s)), (s: Int16Array) => decodePcma(encodePcma(s))]) {
    assert.ok(windowsOf(law(driven))[0]!.clippedShare > 0.3)
    assert.equal(windowsOf(law(loud))[0]!.clippedShare, 0)
  }
})
