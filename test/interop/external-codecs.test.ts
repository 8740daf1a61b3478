// G.729, AMR and AMR-WB as recordings have them, decoded by the ffmpeg of this machine.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { correlate, readWav, resample } from '#audio'
import { ffmpegDecoder } from '#recording-server'
import { createDeriver } from '#store'
import { fixture } from '../harness/fixtures.ts'
import { TrackBench } from '../harness/track-bench.ts'

const MOST_LATE_MS = 30

function caller(): Int16Array {
  const wav = readWav(fixture('speech/caller.wav'))
  assert.ok(wav.ok)
  return wav.value.samples[0]!.subarray(0, 24_000)
}

/** An AMR 12.2 frame as it stands in a file, as an octet-aligned payload (RFC 4867 section 4.4). */
function aligned(frame: Uint8Array): Uint8Array {
  return Uint8Array.of(0xf0, frame[0]! & 0x7c, ...frame.subarray(1))
}

/** The same as a bandwidth-efficient payload (section 4.3): 4 bits, 6 bits, then the bits of speech. */
function packed(frame: Uint8Array, speechBits: number): Uint8Array {
  const type = ((frame[0]! >> 3) & 0x0f).toString(2).padStart(4, '0')
  const bits = ['1111', '0', type, '1', ...[...frame.subarray(1)].map((byte) => byte.toString(2).padStart(8, '0'))]
  const text = bits.join('').slice(0, 4 + 6 + speechBits)
  return Uint8Array.from({ length: Math.ceil(text.length / 8) }, (_unused, at) => {
    return Number.parseInt(text.slice(8 * at, 8 * at + 8).padEnd(8, '0'), 2)
  })
}

function split(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: bytes.length / size }, (_unused, at) => bytes.subarray(at * size, (at + 1) * size))
}

const amr = split(fixture('speech/caller.amr'), 32)
const wide = split(fixture('speech/caller.amrwb'), 33)
const streams = [
  { name: 'G729/8000', payloads: split(fixture('speech/caller.g729'), 20) },
  { name: 'AMR/8000', payloads: amr.map(aligned) },
  { name: 'AMR/8000', payloads: amr.map((frame) => packed(frame, 244)) },
  { name: 'AMR-WB/16000', payloads: wide.map(aligned) },
  { name: 'AMR-WB/16000', payloads: wide.map((frame) => packed(frame, 253)) },
]

for (const [index, { name, payloads }] of streams.entries()) {
  test(`${name} is kept as received and heard where it was said, its lost packets too (${index + 1})`, async (t) => {
    const external = ffmpegDecoder()
    assert.ok(external, 'apt-get install ffmpeg')
    const clockRateHz = Number(name.split('/')[1])
    const bench = new TrackBench(t, [[{ payloadType: 96, encoding: name, clockRateHz }]])
    payloads.forEach((payload, at) => {
      if (at % 25 === 12) return
      bench.accept(0, {
        sequence: at + 1,
        timestamp: (clockRateHz / 50) * at,
        arrivalMs: 500 + 20 * (at + 1),
        payload,
        payloadType: 96,
      })
    })
    const { folder } = await bench.publish(4000, await createDeriver({ archive: 'none', external }))
    const wav = readWav(readFileSync(join(folder, 'recording.wav')))
    assert.ok(wav.ok)
    assert.equal(wav.value.samples[0]?.length, 4 * clockRateHz)
    const heard = resample(wav.value.samples[0]!, clockRateHz, 8000).subarray(4000)
    const { coefficient, lagSamples } = correlate(caller(), heard, 400)
    assert.ok(coefficient > 0.6, `${coefficient}`)
    assert.ok(Math.abs(lagSamples) / 8 <= MOST_LATE_MS, `${lagSamples / 8} ms`)
  })
}
