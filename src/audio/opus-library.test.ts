import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { correlate } from './correlate.ts'
import { loadOpusLibrary } from './opus-library.ts'
import { tone } from './tone.ts'

const FRAME = 320

test('what is encoded in Opus comes back at both narrow and wide rate, like it was', async () => {
  const library = await loadOpusLibrary()
  assert.ok(library, 'the package is installed with the others')
  const encoder = library.encoder({ sampleRateHz: 16_000, channels: 1, bitsPerSecond: 24_000 })
  const [wide, narrow] = [library.decoder(16_000), library.decoder(8000)]
  const source = tone(440, 1000, 16_000)
  const heard = { wide: new Int16Array(source.length), narrow: new Int16Array(source.length / 2) }
  for (let at = 0; at + FRAME <= source.length; at += FRAME) {
    const packet = encoder.encode(source.subarray(at, at + FRAME))
    heard.wide.set(wide.decode(packet), at)
    heard.narrow.set(narrow.decode(packet), at / 2)
  }
  const half = tone(440, 1000, 8000)
  assert.ok(correlate(source.subarray(1600, 12_800), heard.wide, 400).coefficient > 0.98)
  assert.ok(correlate(half.subarray(800, 6400), heard.narrow, 200).coefficient > 0.98)
})

test('bytes that are no Opus packet are 20 ms of silence', async () => {
  const decoder = (await loadOpusLibrary())?.decoder(8000)
  for (const bytes of [new Uint8Array(0), Uint8Array.of(255, 255, 255), new Uint8Array(1501).fill(3)]) {
    assert.deepEqual(decoder?.decode(bytes), new Int16Array(160))
  }
})

test('threads that use it can be ended', async () => {
  const opus = new URL('./opus-library.js', import.meta.url).href
  const program = `import('${opus}').then(async ({ loadOpusLibrary }) => {
    const library = await loadOpusLibrary()
    library.encoder({ sampleRateHz: 8000, channels: 1, bitsPerSecond: 24000 }).encode(new Int16Array(160))
    require('node:worker_threads').parentPort.postMessage(library.decoder(8000).decode(Uint8Array.of(8)).length)
  })`
  for (let round = 0; round < 3; round++) {
    const worker = new Worker(program, { eval: true })
    const [samples] = (await once(worker, 'message')) as [number]
    assert.ok(samples > 0)
    await worker.terminate()
  }
})
