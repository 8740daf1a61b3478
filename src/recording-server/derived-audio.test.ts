// What players get of streams in every codec that we decode, against what was said.

import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { correlate, encodePcmu, loadOpusLibrary, readWav, resample, rmsDbfs, tone } from '#audio'
import { createDeriver, type DeriveJob, plainFiles, readPeaks } from '#store'
import { fixture } from '../../test/harness/fixtures.ts'
import { TrackBench } from '../../test/harness/track-bench.ts'
import type { TrackCodec } from './track.ts'

const PCMU: TrackCodec = { payloadType: 0, encoding: 'PCMU/8000', clockRateHz: 8000 }
const G722: TrackCodec = { payloadType: 9, encoding: 'G722/8000', clockRateHz: 8000 }
const OPUS: TrackCodec = { payloadType: 111, encoding: 'OPUS/48000/2', clockRateHz: 48_000 }
const L16: TrackCodec = { payloadType: 112, encoding: 'L16/16000', clockRateHz: 16_000 }
const G729: TrackCodec = { payloadType: 18, encoding: 'G729/8000', clockRateHz: 8000 }

function speech(name: string): Int16Array {
  const wav = readWav(fixture(`speech/${name}.wav`))
  assert.ok(wav.ok)
  return wav.value.samples[0]!
}

const caller = speech('caller')
const agent = speech('agent')

/** Packets of 20 ms, as a codec makes them. */
interface Voice {
  readonly payloads: readonly Uint8Array[]
  /** RTP clock ticks of a packet. */
  readonly ticks: number
  readonly payloadType: number
}

function split(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.floor(bytes.length / size) }, (_unused, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  )
}

function pcmu(samples: Int16Array): Voice {
  return { payloads: split(encodePcmu(samples), 160), ticks: 160, payloadType: 0 }
}

async function opus(samples: Int16Array): Promise<Voice> {
  const encoder = (await loadOpusLibrary())?.encoder({ sampleRateHz: 8000, channels: 1, bitsPerSecond: 48_000 })
  assert.ok(encoder)
  const payloads = Array.from({ length: Math.floor(samples.length / 160) }, (_unused, i) => {
    return encoder.encode(samples.subarray(i * 160, (i + 1) * 160))
  })
  return { payloads, ticks: 960, payloadType: 111 }
}

const g722: Voice = { payloads: split(fixture('speech/caller.g722'), 160), ticks: 160, payloadType: 9 }

/** Sends a voice from `fromMs` on, without the packets that `isLost` names. */
function say(
  bench: TrackBench,
  channel: number,
  voice: Voice,
  fromMs: number,
  isLost = (_index: number): boolean => false,
) {
  voice.payloads.forEach((payload, index) => {
    if (isLost(index)) return
    const { ticks, payloadType } = voice
    const sequence = 1000 + index
    bench.accept(channel, {
      sequence,
      timestamp: index * ticks,
      arrivalMs: fromMs + 20 * (index + 1),
      payload,
      payloadType,
    })
  })
}

async function heard(bench: TrackBench, durationMs: number, archive: 'none' | 'flac' | 'opus' = 'none') {
  const { manifest, folder } = await bench.publish(durationMs, await createDeriver({ archive }))
  const wav = readWav(readFileSync(join(folder, 'recording.wav')))
  assert.ok(wav.ok)
  return { manifest, folder, ...wav.value }
}

/** How like the original a channel is, and by how many ms it is late, near where it should be. */
function likeness(original: Int16Array, channel: Int16Array, rateHz: number, fromMs: number) {
  const raised = resample(original, 8000, rateHz)
  const from = Math.round((fromMs * rateHz) / 1000)
  const part = channel.subarray(from, from + raised.length)
  const { coefficient, lagSamples } = correlate(raised, part, Math.round(rateHz / 10))
  return { coefficient, lateMs: (lagSamples * 1000) / rateHz }
}

function benchOf(t: TestContext, ...codecs: TrackCodec[][]): TrackBench {
  return new TrackBench(t, codecs)
}

test('G.722 is kept as received and heard at 16 kHz, where it was said, beside G.711', async (t) => {
  const bench = benchOf(t, [G722], [PCMU])
  say(bench, 0, g722, 500)
  say(bench, 1, pcmu(agent), 100)
  const { manifest, folder, sampleRateHz, samples } = await heard(bench, 15_000)
  assert.equal(sampleRateHz, 16_000)
  const left = likeness(caller.subarray(0, 16_000), samples[0]!, sampleRateHz, 500)
  assert.ok(left.coefficient > 0.95 && Math.abs(left.lateMs) <= 20, JSON.stringify(left))
  const right = likeness(agent, samples[1]!, sampleRateHz, 100)
  assert.ok(right.coefficient > 0.99 && Math.abs(right.lateMs) <= 20, JSON.stringify(right))
  assert.equal(samples[0]?.length, 15 * 16_000)
  assert.equal(manifest.streams[0]?.runs[0]?.decoded, false)
  assert.ok(statSync(join(folder, manifest.streams[0]!.runs[0]!.file)).size > 16_000)
})

test('Opus with every twentieth packet lost keeps its length and its place; the holes are silent and in the ledger', async (t) => {
  const bench = benchOf(t, [OPUS])
  say(bench, 0, await opus(caller), 300, (index) => index % 20 === 7)
  const { manifest, sampleRateHz, samples } = await heard(bench, 15_500)
  const found = likeness(caller, samples[0]!, sampleRateHz, 300)
  assert.ok(found.coefficient > 0.85 && Math.abs(found.lateMs) <= 20, JSON.stringify(found))
  assert.equal(samples[0]?.length, 15.5 * sampleRateHz)
  const lost = manifest.streams[0]?.gaps.filter(({ cause }) => cause === 'lost') ?? []
  assert.ok(lost.length >= 30, `${lost.length} gaps`)
  assert.ok(lost.every(({ fromMs, toMs }) => Math.abs(toMs - fromMs - 20) <= 1))
})

test('linear PCM and a change from G.711 to G.722 in the middle of a stream', async (t) => {
  const bench = benchOf(t, [L16], [PCMU, G722])
  const linear = resample(agent, 8000, 16_000)
  const bytes = new Uint8Array(linear.length * 2)
  for (const [index, sample] of linear.entries()) new DataView(bytes.buffer).setInt16(2 * index, sample)
  say(bench, 0, { payloads: split(bytes, 640), ticks: 320, payloadType: 112 }, 0)
  say(bench, 1, pcmu(agent.subarray(0, 16_000)), 0)
  say(bench, 1, g722, 3000)
  const { manifest, sampleRateHz, samples } = await heard(bench, 9000)
  const first = likeness(agent, samples[0]!, sampleRateHz, 0)
  assert.ok(first.coefficient > 0.99 && Math.abs(first.lateMs) <= 20, JSON.stringify(first))
  const before = likeness(agent.subarray(0, 16_000), samples[1]!, sampleRateHz, 0)
  const after = likeness(caller.subarray(0, 16_000), samples[1]!, sampleRateHz, 3000)
  assert.ok(before.coefficient > 0.98 && after.coefficient > 0.94, JSON.stringify({ before, after }))
  assert.deepEqual(
    manifest.streams[1]?.runs.map(({ encoding }) => encoding),
    ['PCMU/8000', 'G722/8000'],
  )
})

test('RTP-19: a lost packet is heard from the redundant block of the next one (RFC 2198)', async (t) => {
  const red: TrackCodec = { payloadType: 121, encoding: 'RED/8000', clockRateHz: 8000 }
  const bench = benchOf(t, [red, PCMU])
  const { payloads } = pcmu(agent)
  const packets = payloads.map((payload, index) => {
    const before = payloads[index - 1]
    if (before === undefined) return Uint8Array.of(0, ...payload)
    return Uint8Array.of(
      0x80,
      160 >> 6,
      ((160 & 0x3f) << 2) | (before.length >> 8),
      before.length & 0xff,
      0,
      ...before,
      ...payload,
    )
  })
  say(bench, 0, { payloads: packets, ticks: 160, payloadType: 121 }, 0, (index) => index % 10 === 4)
  const { manifest, samples } = await heard(bench, 15_000)
  const found = likeness(agent, samples[0]!, 8000, 0)
  assert.ok(found.coefficient > 0.999, JSON.stringify(found))
  assert.deepEqual(
    manifest.streams[0]?.gaps.filter(({ cause }) => cause === 'lost'),
    [],
  )
})

test('a codec that nobody here decodes is kept, its channel is silent, and alone it makes no audio file', async (t) => {
  const frames = split(new Uint8Array(2000).fill(0x55), 20)
  const bench = benchOf(t, [G729], [PCMU])
  say(bench, 0, { payloads: frames, ticks: 160, payloadType: 18 }, 0)
  say(bench, 1, pcmu(tone(440, 2000)), 0)
  const { samples } = await heard(bench, 2000)
  assert.equal(rmsDbfs(samples[0]!), Number.NEGATIVE_INFINITY)
  assert.ok(rmsDbfs(samples[1]!) > -30)
  const alone = benchOf(t, [G729])
  say(alone, 0, { payloads: frames, ticks: 160, payloadType: 18 }, 0)
  const { manifest, folder } = await alone.publish(2000, await createDeriver({ archive: 'none' }))
  assert.deepEqual([manifest.state, manifest.audioFile], ['published', undefined])
  assert.ok(existsSync(join(folder, manifest.streams[0]!.runs[0]!.file)))
})

test('peaks show who speaks when, and the archive has its copy', async (t) => {
  for (const archive of ['flac', 'opus'] as const) {
    const bench = benchOf(t, [PCMU], [PCMU])
    say(bench, 0, pcmu(tone(440, 1000)), 0)
    say(bench, 1, pcmu(tone(880, 1000)), 1000)
    const { manifest, folder } = await heard(bench, 2000, archive)
    const peaks = await readPeaks(join(folder, manifest.peaksFile ?? ''), { buckets: 2 })
    const [left = [], right = []] = peaks?.values ?? []
    assert.ok(left[1]! > 25 && left[3]! < 3, `${left}`)
    assert.ok(right[1]! < 3 && right[3]! > 25, `${right}`)
    assert.equal(manifest.archiveFile, `recording.${archive}`)
    assert.ok(statSync(join(folder, `recording.${archive}`)).size > 1000)
  }
})

for (const [name, codec, payloads] of [
  ['G.711', PCMU, pcmu(tone(440, 4000)).payloads],
  ['linear PCM', L16, Array.from({ length: 200 }, (_unused, at) => new Uint8Array(640).fill(at))],
] as const) {
  test(`no file stays open when ${name} cannot be derived, whichever write the disk refuses; it is tried for ever`, async (t) => {
    const bench = benchOf(t, [codec], [codec])
    const { payloadType, clockRateHz } = codec
    for (const channel of [0, 1]) say(bench, channel, { payloads, ticks: clockRateHz / 50, payloadType }, 0)
    let job: DeriveJob | undefined
    const plain = await createDeriver({ archive: 'none' })
    const { folder } = await bench.publish(4000, async (given) => {
      job = given
      return await plain(given)
    })
    assert.ok(job)
    let open = 0
    let writesLeft = 0
    const closing = (close: () => void) => (): void => {
      open -= 1
      close()
    }
    const files = {
      ...plainFiles,
      open: (path: string) => {
        const file = plainFiles.open(path)
        open += 1
        return { ...file, close: closing(() => file.close()) }
      },
      output: (path: string) => {
        const file = plainFiles.output(path)
        open += 1
        return {
          append: (bytes: Uint8Array) => {
            writesLeft -= 1
            if (writesLeft < 0) throw Object.assign(new Error('full'), { code: 'ENOSPC' })
            file.append(bytes)
          },
          close: closing(() => file.close()),
        }
      },
    }
    const derive = await createDeriver({ archive: 'flac', files })
    let failures = 0
    for (let writes = 0; ; writes += 1) {
      writesLeft = writes
      const fault: unknown = await derive({ ...job, folder }).then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      assert.equal(open, 0, `after ${writes} writes`)
      if (fault === undefined) break
      assert.equal((fault as NodeJS.ErrnoException).code, 'ENOSPC', String(fault))
      failures += 1
    }
    assert.ok(failures > 8, `${failures}`)
    const [, second] = job.streams
    rmSync(join(folder, second?.runs[0]?.file ?? ''))
    writesLeft = Number.POSITIVE_INFINITY
    await assert.rejects(derive({ ...job, folder }), { code: 'ENOENT' })
    assert.equal(open, 0)
  })
}
