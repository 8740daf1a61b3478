import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { correlate, loadOpusLibrary, tone } from '#audio'
import { oggPackets } from '../../../test/harness/ogg.ts'
import { plainFiles } from '../sealing/recording-files.ts'
import { FlacOutput, OpusOutput } from './archive-outputs.ts'
import type { AudioOutput } from './audio-output.ts'
import { loadFlac } from './flac.ts'

const RATE = 8000
const voices = [tone(500, 3000, RATE), tone(1200, 3000, RATE)]
const shape = { sampleRateHz: RATE, channels: 2, frames: voices[0]!.length }

function pathFor(t: TestContext, name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'archive-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return join(folder, name)
}

function writeAll(output: AudioOutput): void {
  for (let at = 0; at < shape.frames; at += 1000) output.write(voices.map((samples) => samples.subarray(at, at + 1000)))
  output.close()
}

test('FLAC holds every sample: its head has the checksum of the audio, and its size is far below that of the samples', async (t) => {
  const library = await loadFlac()
  assert.ok(library, 'the package is installed with the others')
  const path = pathFor(t, 'recording.flac')
  writeAll(new FlacOutput(plainFiles.output(path), library, shape))
  const bytes = readFileSync(path)
  assert.equal(bytes.subarray(0, 4).toString('latin1'), 'fLaC')
  assert.ok(bytes.length > 1000 && bytes.length < shape.frames * 2)
  assert.equal(FlacOutput.takes({ ...shape, channels: 9 }), false)
})

test('Opus in Ogg has each voice on its side, as long as the recording, like the original', async (t) => {
  const library = await loadOpusLibrary()
  assert.ok(library)
  const path = pathFor(t, 'recording.opus')
  writeAll(new OpusOutput(plainFiles.output(path), library, shape, 7))
  const { packets, endTicks, crcFaults } = oggPackets(readFileSync(path))
  assert.equal(crcFaults, 0)
  const [head, tags, ...audio] = packets
  assert.equal(Buffer.from(head!.subarray(0, 8)).toString(), 'OpusHead')
  assert.equal(Buffer.from(tags!.subarray(0, 8)).toString(), 'OpusTags')
  const preSkip = Buffer.from(head!).readUInt16LE(10)
  assert.equal(endTicks - preSkip, 3 * 48_000)
  const { Decoder } = (await import('@evan/opus/wasm/index.js')).default
  const decoder = new Decoder({ channels: 2, sample_rate: 48_000 })
  const heard = audio.map((packet) => decoder.decode(packet).slice())
  const samples = new Int16Array(Buffer.concat(heard).buffer.slice(0, 3 * 48_000 * 4))
  for (const [channel, frequency] of [500, 1200].entries()) {
    const side = samples.filter((_sample, index) => index % 2 === channel).subarray(preSkip + 4800, preSkip + 96_000)
    const { coefficient } = correlate(tone(frequency, 1900, 48_000), side, 200)
    assert.ok(coefficient > 0.95, `channel ${channel}: ${coefficient}`)
  }
})

test('a disk that refuses FLAC says so, and hundreds of such attempts take no memory from the next', async (t) => {
  const library = await loadFlac()
  assert.ok(library)
  const append = (): never => {
    throw new Error('no space left')
  }
  for (let at = 0; at < 300; at += 1) {
    assert.throws(() => writeAll(new FlacOutput({ append, close: () => {} }, library, shape)), {
      message: 'no space left',
    })
  }
  const path = pathFor(t, 'recording.flac')
  writeAll(new FlacOutput(plainFiles.output(path), library, shape))
  assert.ok(readFileSync(path).length > 1000)
})

test('what FLAC or Opus cannot hold has no such copy', async () => {
  const library = await loadFlac()
  assert.ok(library)
  const file = { append: () => {}, close: () => {} }
  for (const sampleRateHz of [8000, 11_025, 65_535, 65_537, 96_000, 100_001, 192_000]) {
    const one = { ...shape, sampleRateHz }
    const isTaken = FlacOutput.takes(one)
    if (isTaken) new FlacOutput(file, library, one).close()
    else assert.throws(() => new FlacOutput(file, library, one), { code: 'store.flac' })
    assert.equal(isTaken, ![65_537, 100_001].includes(sampleRateHz))
    assert.equal(OpusOutput.takes(one), sampleRateHz === 8000)
  }
})
