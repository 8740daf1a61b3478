import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodePcmu, encodePcmu, tone } from '#audio'
import { SoundDecoders } from './sound-decoders.ts'
import { SoundTap } from './sound-tap.ts'
import { StreamWatch } from './stream-watch.ts'

const SETTINGS = { codecs: [], isPaused: false }

test('what is put aside for a listener is what was said, packet by packet', () => {
  const decoders = new SoundDecoders(() => Promise.resolve(undefined))
  const watch = new StreamWatch({ channel: 0, label: undefined, rtpPort: 4000 }, SETTINGS, decoders)
  const tap = new SoundTap()
  tap.isOn = true
  tap.follow([watch])
  const voice = encodePcmu(tone(440, 100))
  for (let at = 0; at < voice.length; at += 160) watch.sound.hear('PCMU/8000', voice.subarray(at, at + 160), at / 8)
  assert.deepEqual(tap.take(), [{ channel: 0, sampleRateHz: 8000, samples: decodePcmu(voice) }])
})
