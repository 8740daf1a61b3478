import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodePcma, loadOpusLibrary, tone } from '#audio'
import { SoundDecoders } from './sound-decoders.ts'
import { StreamSound } from './stream-sound.ts'

const PACKET_MS = 20
const SPEECH_DBFS = 20 * Math.log10(8000 / 32_768)

test('G.711 is listened to all the time, and its level is told while it is fresh', () => {
  const sound = new StreamSound(new SoundDecoders(() => Promise.resolve(undefined)))
  const voice = encodePcma(tone(440, 10_000))
  let nowMs = 0
  for (let at = 0; at < voice.length; at += 160) {
    nowMs += PACKET_MS
    sound.hear('PCMA/8000', voice.subarray(at, at + 160), nowMs)
  }
  assert.equal(sound.heardMs, 10_000)
  assert.ok(Math.abs(sound.levelAt(nowMs)!.peakDbfs - SPEECH_DBFS) < 0.5)
  assert.equal(sound.levelAt(nowMs + 1000), undefined)
})

test('Opus has a level: decoded in full at first, then a quarter of it, and all of it for who listens', async () => {
  const library = await loadOpusLibrary()
  assert.ok(library !== undefined)
  const encoder = library.encoder({ sampleRateHz: 16_000, channels: 1, bitsPerSecond: 24_000 })
  const frame = tone(440, PACKET_MS, 16_000)
  const loading = Promise.resolve(library)
  const sound = new StreamSound(new SoundDecoders(() => loading))
  let nowMs = 0
  const talk = (durationMs: number): void => {
    for (const endMs = nowMs + durationMs; nowMs < endMs; ) {
      nowMs += PACKET_MS
      sound.hear('OPUS/48000/2', encoder.encode(frame), nowMs)
    }
  }
  talk(PACKET_MS)
  assert.equal(sound.heardMs, 0, 'the library is loaded when the first packet comes')
  await loading
  await Promise.resolve()
  talk(3000)
  assert.equal(sound.heardMs, 3000)
  assert.ok(Math.abs(sound.levelAt(nowMs)!.peakDbfs - SPEECH_DBFS) < 6, JSON.stringify(sound.levelAt(nowMs)))
  talk(1000)
  const before = sound.heardMs
  talk(4000)
  assert.ok(Math.abs((sound.heardMs - before) / 4000 - 0.24) < 0.02, `${sound.heardMs - before} ms of 4000`)
  assert.ok(sound.levelAt(nowMs) !== undefined, 'the level stays fresh')
  let heard = 0
  sound.listener = (samples) => {
    heard += samples.length
  }
  talk(2000)
  assert.equal(heard, 32_000)
})

test('what cannot be decoded has no level', () => {
  const sound = new StreamSound(new SoundDecoders(() => Promise.resolve(undefined)))
  sound.hear('G729/8000', new Uint8Array(20), 20)
  assert.equal(sound.levelAt(20), undefined)
  assert.equal(sound.heardMs, 0)
})
